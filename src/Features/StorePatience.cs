using SparkGateway.Domain;

namespace SparkGateway.Features;

/// <summary>For changes that must reach the store although it cannot be reached now. Bounded: what is still missing then is found at the next start.</summary>
public sealed class StorePatience(FeatureOptions options, TimeProvider time)
{
    public async Task<Result<T>> InsistAsync<T>(Func<Task<Result<T>>> change, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var result = await change();
            if (result.Error is not { Code: ErrorCode.Unavailable } || attempt >= options.StoreAttempts) return result;
            try
            {
                await Task.Delay(options.StoreRetryEvery, time, cancellation);
            }
            catch (OperationCanceledException)
            {
                return result;
            }
        }
    }
}
