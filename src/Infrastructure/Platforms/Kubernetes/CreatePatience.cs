using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>How long the objects of one start are tried to be made. An API server that cannot be reached is waited for as long as the start may take.</summary>
/// <param name="graceSeconds">For answers that pass by themselves, together.</param>
/// <param name="tell">Hears of each failure that is waited out.</param>
internal sealed class CreatePatience(int graceSeconds, Action<string> tell, TimeProvider time)
{
    private long? since;

    /// <summary>Null: try again.</summary>
    public GatewayError? WhyGivenUp(KubeError error)
    {
        if (error.Failure is KubeFailure.WebhookDown or KubeFailure.Overload or KubeFailure.Unauthorized)
        {
            since ??= time.GetTimestamp();

            // No code that clients repeat by themselves: the session is over with this.
            if (time.GetElapsedTime(since.Value) >= TimeSpan.FromSeconds(graceSeconds))
                return error.Error with { Code = ErrorCode.StartFailed, Text = $"{error.Error.Text} The gateway has tried for {graceSeconds} seconds (kubernetes.create_grace_seconds)." };
        }
        else if (error.Failure is not (KubeFailure.Unreachable or KubeFailure.AlreadyExists))
        {
            return error.Error;
        }

        tell(error.Error.Text);
        return null;
    }
}
