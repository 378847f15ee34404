using System.Text;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>
/// The live form of a ready session: what the data plane reads. Everything a call needs is prepared once, as bytes.
/// Counters are interlocked; closing is once and for all.
/// </summary>
public sealed class Route
{
    private readonly Lock gate = new();
    private readonly List<Action<GatewayError>> watchers = [];
    private GatewayError? closedBy;
    private int openCalls;
    private long callsEnded;
    private long callsBroken;
    private int breaks;
    private int breaksBeforeAnswer;

    public Route(Session session, string? token)
    {
        Session = session;
        Address = session.Address ?? throw new ArgumentException("A route needs a ready session.", nameof(session));
        Authorization = token is null ? default : Encoding.UTF8.GetBytes($"Bearer {token}");
        AddressUtf8 = Encoding.UTF8.GetBytes(Address);
        NameUtf8 = Encoding.UTF8.GetBytes(session.Name.Name);
        NamespaceUtf8 = Encoding.UTF8.GetBytes(session.Name.Namespace);
    }

    public Session Session { get; }

    /// <summary>host:port.</summary>
    public string Address { get; }

    /// <summary>The value of the authorization header for the driver; empty: the driver has no token of ours.</summary>
    public ReadOnlyMemory<byte> Authorization { get; }

    public ReadOnlyMemory<byte> AddressUtf8 { get; }

    public ReadOnlyMemory<byte> NameUtf8 { get; }

    public ReadOnlyMemory<byte> NamespaceUtf8 { get; }

    public bool PassesClientAuthorization => Session.Kind == SessionKind.Attached && Authorization.IsEmpty;

    /// <summary>Calls on their way now: an open call is activity, whatever its byte rate.</summary>
    public int OpenCalls => Volatile.Read(ref openCalls);

    /// <summary>Moves when a call ends: that starts the idle clock.</summary>
    public long CallsEnded => Volatile.Read(ref callsEnded);

    /// <summary>How many of them did not end by the driver's answer: their clients may come back for the rest.</summary>
    public long CallsBroken => Volatile.Read(ref callsBroken);

    /// <summary>How many connections to its driver broke.</summary>
    public int Breaks => Volatile.Read(ref breaks);

    /// <summary>One of them broke since the platform last said that the driver stands.</summary>
    public bool IsDoubtful => Volatile.Read(ref breaksBeforeAnswer) != Breaks;

    /// <summary>Why calls of this session are refused; null while it is live.</summary>
    public GatewayError? ClosedBy => Volatile.Read(ref closedBy);

    public void CallOpened() => Interlocked.Increment(ref openCalls);

    public void CallEnded(bool isBroken = false)
    {
        if (isBroken) Interlocked.Increment(ref callsBroken);
        Interlocked.Increment(ref callsEnded);

        // Last: who sees none open sees that they ended.
        Interlocked.Decrement(ref openCalls);
    }

    public void ConnectionBroke() => Interlocked.Increment(ref breaks);

    /// <param name="before">Breaks when the platform was asked.</param>
    public void Stands(int before) => Volatile.Write(ref breaksBeforeAnswer, before);

    /// <summary>Runs <paramref name="action"/> once when the route closes, or now if it is closed. Dispose to forget it.</summary>
    public IDisposable OnClosed(Action<GatewayError> action)
    {
        lock (gate)
        {
            if (closedBy is null)
            {
                watchers.Add(action);
                return new Watch(this, action);
            }
        }

        action(closedBy);
        return new Watch(this, action);
    }

    public void Close(GatewayError reason)
    {
        Action<GatewayError>[] told;
        lock (gate)
        {
            if (closedBy is not null) return;
            Volatile.Write(ref closedBy, reason);
            told = [.. watchers];
            watchers.Clear();
        }

        foreach (var action in told) action(reason);
    }

    private sealed class Watch(Route route, Action<GatewayError> action) : IDisposable
    {
        public void Dispose()
        {
            lock (route.gate) route.watchers.Remove(action);
        }
    }
}

/// <summary>A client session that leads to a live route.</summary>
public sealed class LiveBinding(ClientSessionKey key, Route route, BoundVia via)
{
    private int released;
    private int announced;

    public ClientSessionKey Key { get; } = key;

    public Route Route { get; } = route;

    public BoundVia Via { get; } = via;

    /// <summary>The client released this session itself: forwarded while the driver lives, SESSION_CLOSED afterwards.</summary>
    public bool IsReleased => Volatile.Read(ref released) != 0;

    /// <summary>True once: the first response of a new binding names its session.</summary>
    public bool TakeAnnouncement() => Volatile.Read(ref announced) == 0 && Interlocked.Exchange(ref announced, 1) == 0;

    public void MarkReleased() => Volatile.Write(ref released, 1);
}
