using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Hosting;

/// <summary>
/// An expected failure on its way out of a hosted service's StartAsync, which can return none. `serve` prints the
/// sentence and exits with 2; anything else that escapes is a bug.
/// </summary>
public sealed class StartRefusedException(GatewayError error) : Exception(error.Text)
{
    public GatewayError Error { get; } = error;
}
