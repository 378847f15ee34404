namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>What the rules look at, and where they put what they find.</summary>
internal sealed record RuleContext(
    GatewayOptions Options,
    IReadOnlyDictionary<string, ConfigOrigin> Origins,
    List<ConfigProblem> Problems,
    List<ConfigProblem> Warnings)
{
    public void Refuse(string key, string text) => Problems.Add(new(OriginOf(key), key, text));

    public void Warn(string key, string text) => Warnings.Add(new(OriginOf(key), key, text));

    /// <summary>Where the key was set, else where what contains it was: a missing name is shown at the line of its list item.</summary>
    private ConfigOrigin OriginOf(string key)
    {
        for (var path = key; path.Length > 0; path = path[..Math.Max(0, path.LastIndexOfAny(['.', '[']))])
            if (Origins.TryGetValue(path, out var origin)) return origin;
        return ConfigOrigin.Default;
    }
}

/// <summary>Rules that need more than one key, or the machine: one class for each concern.</summary>
internal static class CrossKeyRules
{
    private static readonly Action<RuleContext>[] All =
    [
        UnsupportedRules.Check,
        ListenerRules.Check,
        FileRules.Check,
        HeaderRules.Check,
        IdentityRules.Check,
        AttachedRules.Check,
        TeamRules.Check,
        KubernetesProfileRules.Check,
        KubernetesRules.Check,
        LimitRules.Check,
        TelemetryRules.Check,
    ];

    public static void Check(RuleContext context)
    {
        foreach (var rule in All) rule(context);
    }
}
