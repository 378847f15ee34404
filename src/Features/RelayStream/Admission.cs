using SparkGateway.Domain.Routing;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.RelayStream;

/// <summary>What becomes of a call.</summary>
public abstract record Admission
{
    private Admission()
    {
    }

    /// <summary>It goes to the driver of this binding.</summary>
    public sealed record Forward(LiveBinding Binding) : Admission;

    /// <summary>The relay answers it OK with the session id echoed: there is no driver that must hear of it.</summary>
    public sealed record AnswerOk : Admission;

    /// <summary>As AnswerOk; the routing pairs of this Config.Set are remembered for the next call of that client session.</summary>
    public sealed record Absorb(RouteHints Hints) : Admission;
}

/// <summary>
/// What admission must know of the client connection beyond one call: which session it carries (the connection rule) and
/// whether more than one client may be behind it. Admissions of one connection decide one after the other.
/// </summary>
public sealed class ConnectionContext
{
    /// <summary>Decide and claim under this gate; never wait for a driver under it.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>Set by the relay for good: two users, two sets of gateway headers, or a header that a proxy adds was seen.</summary>
    public bool MayBeShared { get; set; }

    /// <summary>The most recently admitted on-demand session of this connection, with the user and headers it came with.</summary>
    public JoinedSession? Last { get; set; }
}

/// <summary>A session that a client connection carries already.</summary>
public sealed record JoinedSession(Guid SessionId, string UserId, RouteHints Headers);
