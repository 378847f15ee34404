using Microsoft.Extensions.Logging;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Platforms.Local;

internal sealed partial class LocalPlatform
{
    [LoggerMessage(3001, LogLevel.Information, "Driver of session {Session}: {Phase} after {Seconds:F1} s")]
    private partial void LogPhase(SessionName session, string phase, double seconds);

    [LoggerMessage(3002, LogLevel.Warning, "Port {Port}, chosen for the driver of session {Session}, was taken by another program meanwhile: another port is tried")]
    private partial void LogPortLost(SessionName session, int port);

    [LoggerMessage(3003, LogLevel.Warning, "spark_connect.on_demand.spark_version is {Wanted}, but local drivers run the Spark that was found, {Found}")]
    private partial void LogVersion(string wanted, string found);
}
