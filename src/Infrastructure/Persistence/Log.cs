using Microsoft.Extensions.Logging;

namespace SparkGateway.Infrastructure.Persistence;

internal static partial class Log
{
    [LoggerMessage(EventId = 500, Level = LogLevel.Error, Message = "store {Store} ({Place}) failed, {Code}: {Cause}")]
    public static partial void StoreFailed(this ILogger logger, string store, string place, string code, string cause);

    [LoggerMessage(EventId = 501, Level = LogLevel.Information, Message = "store {Store} ({Place}) migrated: {Migration}")]
    public static partial void Migrated(this ILogger logger, string store, string place, string migration);
}
