using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Options;

/// <summary>Environment variables that are configuration keys: SPARK_GATEWAY_SPARK_CONNECT__PORT is spark_connect.port.</summary>
internal static partial class EnvironmentLayer
{
    private const string Prefix = "SPARK_GATEWAY_";

    /// <summary>Path, value and origin of each, in the order of names.</summary>
    public static IEnumerable<(string Path, string Value, ConfigOrigin Origin)> Keys(IReadOnlyDictionary<string, string> variables) =>
        from variable in variables
        where variable.Key.StartsWith(Prefix, StringComparison.Ordinal) && !IsForeign(variable.Key[Prefix.Length..])
        orderby variable.Key
        select (Path(variable.Key), variable.Value, new ConfigOrigin($"environment variable {variable.Key}"));

    private static string Path(string name) =>
        name[Prefix.Length..].ToLowerInvariant().Replace("__", ".", StringComparison.Ordinal);

    /// <summary>Switches that are no configuration, and what Kubernetes sets for a Service named spark-gateway or spark-gateway-*.</summary>
    private static bool IsForeign(string name) =>
        name == "DEBUG" || name.StartsWith("TEST_", StringComparison.Ordinal) || ServiceLink().IsMatch(name);

    [GeneratedRegex("^((?!.*__).*_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)\\z", RegexOptions.CultureInvariant)]
    private static partial Regex ServiceLink();
}
