using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Options;

/// <summary>A folder of configuration files for one test.</summary>
internal sealed class ConfigFolder : IDisposable
{
    public ConfigFolder() => Directory.CreateDirectory(Root);

    public string Root { get; } = Path.Combine(Path.GetTempPath(), "spark-gateway-config-" + Guid.NewGuid().ToString("N"));

    public static string Solution { get; } = FindSolution();

    public string Write(string name, string text)
    {
        var path = Path.Combine(Root, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Loads one file with this text over the defaults.</summary>
    public LoadedConfig Load(string yaml) => Load([Write("test.yml", yaml)]);

    public static LoadedConfig Load(string[] files, (string Name, string Value)[]? environment = null, params string[] sets) =>
        GatewayConfig.Load(new(files, (environment ?? []).ToDictionary(pair => pair.Name, pair => pair.Value), sets));

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static string FindSolution()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SparkGateway.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
