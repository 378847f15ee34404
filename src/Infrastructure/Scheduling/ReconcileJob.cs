using MediatR;
using Microsoft.Extensions.Logging;
using Quartz;
using SparkGateway.Features.ReconcileDrivers;

namespace SparkGateway.Infrastructure.Scheduling;

/// <summary>Sends ReconcileDrivers. A run that takes longer than the interval delays the next.</summary>
[DisallowConcurrentExecution]
internal sealed partial class ReconcileJob(IMediator mediator, ILogger<ReconcileJob> logger) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        var run = await mediator.Send(new ReconcileDrivers.Request(), cancellationToken);
        if (run.Error is { } error) LogFailed(logger, error.Text);
    }

    [LoggerMessage(3041, LogLevel.Warning, "Drivers and sessions were not compared; the next run does it. {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
