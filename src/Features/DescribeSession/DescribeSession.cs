using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.DescribeSession;

/// <summary>One session with its client sessions, its calls on each replica and its last audit rows.</summary>
public static class DescribeSession
{
    public sealed record Request(SessionRef Session) : IRequest<Result<Description>>;

    /// <param name="OpenCalls">Of this replica now, and of others that have some, as they told last.</param>
    public sealed record Description(SessionRecord Record, IReadOnlyList<ReplicaCalls> OpenCalls);

    internal sealed class Handler(ISessionCatalog catalog, IReplicaBoard board, IRouteTable table, FeatureOptions options) : IRequestHandler<Request, Result<Description>>
    {
        private const int MostRows = 50;

        public async Task<Result<Description>> Handle(Request request, CancellationToken cancellationToken)
        {
            var read = await catalog.DescribeAsync(request.Session, MostRows, MostRows, cancellationToken);
            if (!read.TryGet(out var record, out var error)) return error;
            if (record is null) return SessionLookup.None(request.Session);
            var elsewhere = options.Self.IsOnly ? Result<IReadOnlyList<ReplicaCalls>>.Ok([]) : await board.CallsElsewhereAsync(record.Session.Id, options.Self, cancellationToken);
            if (!elsewhere.TryGet(out var others, out var unread)) return unread;
            var here = new ReplicaCalls(options.Self.Id, options.Self.Host, table.FindRoute(record.Session.Id)?.OpenCalls ?? 0, null);
            return new Description(record, [here, .. others]);
        }
    }
}
