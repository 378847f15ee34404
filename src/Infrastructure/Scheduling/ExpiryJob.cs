using MediatR;
using Microsoft.Extensions.Logging;
using Quartz;
using SparkGateway.Features.ExpireSessions;

namespace SparkGateway.Infrastructure.Scheduling;

/// <summary>Sends ExpireSessions. A run that takes longer than the interval delays the next.</summary>
[DisallowConcurrentExecution]
internal sealed partial class ExpiryJob(IMediator mediator, ILogger<ExpiryJob> logger) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        var run = await mediator.Send(new ExpireSessions.Request(), cancellationToken);
        if (run.Error is { } error) LogFailed(logger, error.Text);
    }

    [LoggerMessage(3040, LogLevel.Warning, "Sessions that have to end were not all looked through; the next run does it. {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
