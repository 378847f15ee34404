namespace SparkGateway.Domain.Sessions;

public enum BindingState
{
    Bound,

    /// <summary>The client released its session: late calls are forwarded while the driver lives, then answered SESSION_CLOSED.</summary>
    Released,

    /// <summary>The session it led to has ended.</summary>
    Ended,
}

/// <summary>How a client session came to its session.</summary>
public enum BoundVia
{
    /// <summary>A pre-created session id.</summary>
    PreCreated,
    Header,
    Config,
    Connection,
    Clone,
    OnDemand,
}

/// <summary>Client session to session: many to one.</summary>
public sealed record Binding(ClientSessionKey Key, Guid SessionId, BindingState State, BoundVia Via);

/// <summary>A binding together with the session it leads to, as one read of the store.</summary>
public sealed record BoundSession(Binding Binding, Session Session);

/// <summary>Who asks, for the audit.</summary>
/// <param name="User">The user as the client claims it.</param>
/// <param name="Address">The client's address and port, or "" where none is known.</param>
/// <param name="UserAgent">The HTTP user-agent, cut to 200 characters.</param>
public sealed record Caller(string User, string Address, string UserAgent)
{
    public static readonly Caller Gateway = new("", "", "spark-gateway");
}
