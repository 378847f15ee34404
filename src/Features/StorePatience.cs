using SparkGateway.Domain;

namespace SparkGateway.Features;

/// <summary>For changes that must reach the store although it cannot be reached now. Bounded: what is still missing then is found at the next start.</summary>
internal static class StorePatience
{
    private const int Attempts = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    public static async Task<Result<T>> InsistAsync<T>(Func<Task<Result<T>>> change, TimeProvider time, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var result = await change();
            if (result.Error is not { Code: ErrorCode.Unavailable } || attempt == Attempts) return result;
            try
            {
                await Task.Delay(Pause, time, cancellation);
            }
            catch (OperationCanceledException)
            {
                return result;
            }
        }
    }
}
