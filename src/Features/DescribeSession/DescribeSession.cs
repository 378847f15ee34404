using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.DescribeSession;

/// <summary>One session with its client sessions, its calls on this replica and its last audit rows.</summary>
public static class DescribeSession
{
    public sealed record Request(SessionRef Session) : IRequest<Result<Description>>;

    /// <param name="OpenCalls">Calls that this replica relays now; other replicas have their own.</param>
    public sealed record Description(SessionRecord Record, Replica Replica, int OpenCalls);

    internal sealed class Handler(ISessionCatalog catalog, IRouteTable table, FeatureOptions options) : IRequestHandler<Request, Result<Description>>
    {
        private const int MostRows = 50;

        public async Task<Result<Description>> Handle(Request request, CancellationToken cancellationToken)
        {
            var read = await catalog.DescribeAsync(request.Session, MostRows, MostRows, cancellationToken);
            if (!read.TryGet(out var record, out var error)) return error;
            if (record is null) return SessionLookup.None(request.Session);
            return new Description(record, options.Self, table.FindRoute(record.Session.Id)?.OpenCalls ?? 0);
        }
    }
}
