namespace SparkGateway.Domain.Routing;

/// <summary>A team and one of its environments: what an on-demand session belongs to.</summary>
public sealed record TeamRef(string Team, string Environment)
{
    public override string ToString() => $"{Team}/{Environment}";
}

/// <summary>The header names that texts show: the first configured one of each.</summary>
public sealed record RoutingHeaderNames(string SessionName, string Namespace, string Team, string Environment);

/// <summary>What the operator allows and prefers; the input of <see cref="RoutingRules"/> that changes only with the configuration.</summary>
public sealed record RoutingPolicy
{
    public required RoutingHeaderNames Headers { get; init; }

    /// <summary>HOST:PORT as clients reach the gateway, for the connection strings in texts.</summary>
    public string PublicAddress { get; init; } = "HOST:PORT";

    public bool OnDemandEnabled { get; init; } = true;

    /// <summary>For a client that names no team; null: there is no default.</summary>
    public TeamRef? Default { get; init; }

    /// <summary>A new client session follows its client connection to the driver that this carries already.</summary>
    public bool ShareConnection { get; init; }

    /// <summary>The pairs that may open sessions.</summary>
    public IReadOnlyList<TeamRef> Teams { get; init; } = [];

    /// <summary>Any valid pair may open sessions.</summary>
    public bool AnyTeam { get; init; }

    /// <summary>:authority, with or without its port, to team and environment.</summary>
    public IReadOnlyDictionary<string, TeamRef> Authorities { get; init; } = new Dictionary<string, TeamRef>();

    /// <summary>Namespace of an on-demand session; {team} and {environment} are filled in.</summary>
    public string NamespacePattern { get; init; } = "sjns-{team}-{environment}";

    public bool Allows(TeamRef team) => AnyTeam || Teams.Contains(team);

    public TeamRef? ByAuthority(string authority)
    {
        if (Authorities.Count == 0 || authority.Length == 0) return null;
        if (Find(authority) is { } whole) return whole;
        var colon = authority.LastIndexOf(':');
        return colon > 0 && !authority.EndsWith(']') ? Find(authority[..colon]) : null;
    }

    public string NamespaceOf(TeamRef team) => NamespacePattern
        .Replace("{team}", team.Team, StringComparison.Ordinal)
        .Replace("{environment}", team.Environment, StringComparison.Ordinal);

    // Host names ignore case, whatever comparer the map was built with.
    private TeamRef? Find(string authority)
    {
        foreach (var (name, team) in Authorities)
            if (name.Equals(authority, StringComparison.OrdinalIgnoreCase)) return team;
        return null;
    }
}
