using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.SyncAttached;

/// <summary>The configuration's list of attached drivers becomes the store's; clients of a replaced driver are told.</summary>
public static class SyncAttached
{
    public sealed record Request(IReadOnlyList<AttachedDriver> Drivers) : IRequest<Result<IReadOnlyList<Session>>>;

    internal sealed class Handler(ISessionStore store, IRouteTable table) : IRequestHandler<Request, Result<IReadOnlyList<Session>>>
    {
        public async Task<Result<IReadOnlyList<Session>>> Handle(Request request, CancellationToken cancellationToken)
        {
            var sync = await store.SyncAttachedAsync(request.Drivers, cancellationToken);
            if (!sync.TryGet(out var sessions, out var error)) return error;

            var kept = sessions.Select(session => session.Id).ToHashSet();
            foreach (var route in table.Routes)
            {
                if (route.Session is not { Kind: SessionKind.Attached, Platform: Session.ConfigPlatform } || kept.Contains(route.Session.Id)) continue;
                var read = await store.FindSessionAsync(route.Session.Id, cancellationToken);
                var ended = read is { IsOk: true, Value: { } known } ? known : route.Session with { EndReason = EndReason.Replaced };
                table.Close(route.Session.Id, EndTexts.Ended(ended));
            }

            return sync;
        }
    }
}
