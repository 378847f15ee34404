using SparkGateway.Domain.Sessions;

namespace SparkGateway.Domain.Routing;

/// <summary>The RPCs of spark.connect.SparkConnectService that routing treats in a way of their own; all others are Other.</summary>
public enum SparkRpc
{
    Other,
    ExecutePlan,
    AnalyzePlan,
    Config,
    AddArtifacts,
    ArtifactStatus,
    Interrupt,
    ReattachExecute,
    ReleaseExecute,
    ReleaseSession,
    FetchErrorDetails,
    CloneSession,
    GetStatus,
}

/// <summary>What a client says about where it wants to go; null: it said nothing.</summary>
public sealed record RouteHints(string? SessionName, string? Namespace, string? Team, string? Environment)
{
    public static readonly RouteHints None = new(null, null, null, null);

    public bool IsEmpty => this == None;

    /// <summary>An absent, an empty and the name "new" all ask for a driver on demand.</summary>
    public bool NamesSession => !string.IsNullOrEmpty(SessionName) && SessionName != "new";
}

/// <summary>What the headers and the first message of a call say; the input of <see cref="RoutingRules"/>.</summary>
public sealed record RouteRequest
{
    public required ClientSessionKey Key { get; init; }

    public required SparkRpc Rpc { get; init; }

    /// <summary>From the request's headers.</summary>
    public RouteHints Headers { get; init; } = RouteHints.None;

    /// <summary>From the pairs of the Config.Set calls of a client session that is not bound yet, this call's included.</summary>
    public RouteHints Config { get; init; } = RouteHints.None;

    /// <summary>This call is a Config.Set that holds nothing but routing pairs and spark.remote, from a client of 3.5 (which expects no server_side_session_id).</summary>
    public bool IsAbsorbableConfig { get; init; }

    /// <summary>The :authority, for clients that can send no header.</summary>
    public string Authority { get; init; } = "";

    public required Caller Caller { get; init; }
}
