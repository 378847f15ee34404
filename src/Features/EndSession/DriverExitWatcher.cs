using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.EndSession;

/// <summary>Drivers that end by themselves end their sessions. The host runs it.</summary>
public sealed class DriverExitWatcher(IDriverPlatform platform, IMediator mediator, TrackedTasks tasks, StorePatience patience)
{
    public async Task RunAsync(CancellationToken cancellation)
    {
        await foreach (var exit in platform.Exits.ReadAllAsync(cancellation))
        {
            // One store that does not answer must not keep the exits of other drivers waiting.
            tasks.Start($"crash of {exit.SessionId}", stopping => EndAsync(exit, stopping));
        }
    }

    private Task<Result<Session?>> EndAsync(DriverExit exit, CancellationToken stopping)
    {
        var request = new EndSession.Request(exit.SessionId, exit.Reason, exit.Detail, Caller.Gateway, exit.LogTail);
        return patience.InsistAsync(() => mediator.Send(request, stopping), stopping);
    }
}
