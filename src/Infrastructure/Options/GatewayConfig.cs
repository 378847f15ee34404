using SparkGateway.Infrastructure.Options.Rules;

namespace SparkGateway.Infrastructure.Options;

/// <summary>The configuration as one process reads it, and everything that is wrong with it.</summary>
public sealed class LoadedConfig
{
    private readonly IReadOnlyDictionary<string, ConfigOrigin> origins;

    internal LoadedConfig(GatewayOptions options, IReadOnlyDictionary<string, ConfigOrigin> origins, IReadOnlyList<ConfigProblem> problems, IReadOnlyList<ConfigProblem> warnings)
    {
        this.origins = origins;
        Options = options;
        Problems = problems;
        Warnings = warnings;
    }

    /// <summary>To be used only if there is no problem: a bad value left the earlier layer's in place.</summary>
    public GatewayOptions Options { get; }

    public IReadOnlyList<ConfigProblem> Problems { get; }

    /// <summary>What is allowed, but will surprise: keys without effect, on-demand sessions that nobody may open.</summary>
    public IReadOnlyList<ConfigProblem> Warnings { get; }

    /// <summary>Where the value of a key comes from; the default where no layer sets it.</summary>
    public ConfigOrigin OriginOf(string path) => origins.GetValueOrDefault(path, ConfigOrigin.Default);

    /// <summary>The effective configuration with the origin of each value as a comment; secrets masked.</summary>
    public string ToYaml() => ConfigPrinter.Print(this);
}

/// <summary>Reads the layers: embedded defaults, files, environment, --set; later wins. Never throws for what a user wrote.</summary>
public static class GatewayConfig
{
    private const string RootKey = "config";

    public static LoadedConfig Load(ConfigSource source)
    {
        var problems = new List<ConfigProblem>();
        var binder = new ConfigBinder(problems);
        ApplyText(binder, Defaults(), _ => ConfigOrigin.Default, problems);
        foreach (var file in source.Files) ApplyFile(binder, file, problems);
        foreach (var (path, value, origin) in EnvironmentLayer.Keys(source.Environment)) binder.Override(path, value, origin, mayEnterMaps: false);
        foreach (var set in source.Sets) ApplySet(binder, set, problems);

        var warnings = new List<ConfigProblem>();
        CrossKeyRules.Check(new(binder.Options, binder.Origins, problems, warnings));
        return new(binder.Options, binder.Origins, problems, warnings);
    }

    /// <summary>The text of gateway.yml: every key with its comment and default.</summary>
    public static string Defaults()
    {
        using var stream = typeof(GatewayConfig).Assembly.GetManifestResourceStream("gateway.yml")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static void ApplyFile(ConfigBinder binder, string file, List<ConfigProblem> problems)
    {
        var text = Files.TryReadConfig(file);
        if (text.TryGet(out var content, out var error)) ApplyText(binder, content, line => new(file, (int)line), problems);
        else problems.Add(new(new(file), "", error.Text));
    }

    private static void ApplyText(ConfigBinder binder, string text, Func<long, ConfigOrigin> originOf, List<ConfigProblem> problems)
    {
        var document = YamlReader.Read(text, originOf, problems);
        if (document is null or ConfigScalar { IsNothing: true }) return;
        if (document is not ConfigMap map)
        {
            problems.Add(new(document.Origin, "", $"the file must be a map with the key '{RootKey}:'."));
            return;
        }

        foreach (var entry in map.Entries)
        {
            if (entry.Key == RootKey) binder.Apply(entry.Value);
            else problems.Add(new(entry.Origin, entry.Key, $"unknown key; all keys stand under '{RootKey}:', so indent it there."));
        }
    }

    private static void ApplySet(ConfigBinder binder, string set, List<ConfigProblem> problems)
    {
        var origin = new ConfigOrigin("--set");
        var equals = set.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0) binder.Override(set[..equals], set[(equals + 1)..], origin, mayEnterMaps: true);
        else problems.Add(new(origin, set, "write KEY=VALUE, for example spark_connect.port=16002."));
    }
}
