using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features;

/// <summary>From how an operator names a session to the session, or to the words that there is none.</summary>
internal static class SessionLookup
{
    public static async Task<Result<Session>> RequireAsync(this ISessionCatalog catalog, SessionRef name, CancellationToken cancellation)
    {
        var read = await catalog.FindAsync(name, cancellation);
        if (!read.TryGet(out var session, out var error)) return error;
        return session is null ? None(name) : session;
    }

    public static GatewayError None(SessionRef name) => new(ErrorCode.NoSuchSession, Blame.Client,
        $"There is no session {name}: it never existed, or ended so long ago that it is forgotten. A list with state=all shows every session that is known.");
}
