using System.Reflection;
using System.Runtime.InteropServices;

namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>What runs.</summary>
internal static class BuildInfo
{
    /// <summary>VERSION, or VERSION+COMMIT where the build knew it.</summary>
    private static readonly string[] Informational =
        (typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown").Split('+', 2);

    public static string Version { get; } = Informational[0];

    public static string Commit { get; } = Informational.Length > 1 ? Informational[1] : "unknown";

    public static KeyValuePair<string, object?>[] Tags { get; } =
        [new("version", Version), new("commit", Commit), new("runtime", RuntimeInformation.FrameworkDescription)];
}
