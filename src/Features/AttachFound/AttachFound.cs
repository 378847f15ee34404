using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.AttachFound;

/// <summary>Drivers that the platform has found become sessions; clients of a driver that another has replaced are told.</summary>
public static class AttachFound
{
    /// <param name="Platform">Which found them: the platform column.</param>
    public sealed record Request(string Platform, IReadOnlyList<FoundDriver> Drivers) : IRequest<Result<IReadOnlyList<Session>>>;

    internal sealed class Handler(IAttachedStore attached, ISessionStore store, IRouteTable table) : IRequestHandler<Request, Result<IReadOnlyList<Session>>>
    {
        public async Task<Result<IReadOnlyList<Session>>> Handle(Request request, CancellationToken cancellationToken)
        {
            var attach = await attached.AttachAsync(request.Platform, request.Drivers, cancellationToken);
            if (!attach.TryGet(out var sessions, out var error)) return error;

            var live = sessions.Select(session => session.Id).ToHashSet();
            foreach (var route in table.Routes)
            {
                if (route.Session.Kind != SessionKind.Attached || route.Session.Platform != request.Platform || live.Contains(route.Session.Id)) continue;
                var read = await store.FindSessionAsync(route.Session.Id, cancellationToken);
                if (read is { IsOk: true, Value: { IsLive: false } ended }) table.Close(ended.Id, EndTexts.Ended(ended));
            }

            return attach;
        }
    }
}
