using System.Net;

namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>Listeners must not want the same port of the same address.</summary>
internal static class ListenerRules
{
    private sealed record Listener(string Key, string Bind, int Port);

    public static void Check(RuleContext context)
    {
        var listeners = Listeners(context.Options).ToArray();
        for (var i = 0; i < listeners.Length; i++)
        {
            for (var j = i + 1; j < listeners.Length; j++)
            {
                var (first, second) = (listeners[i], listeners[j]);
                if (first.Port == second.Port && Overlap(first.Bind, second.Bind))
                    context.Refuse(second.Key, $"port {second.Port} is also {first.Key}; give one of them another port.");
            }
        }
    }

    private static IEnumerable<Listener> Listeners(GatewayOptions options)
    {
        if (options.SparkConnect.Enabled) yield return new("spark_connect.port", options.SparkConnect.Bind, options.SparkConnect.Port);
        yield return new("admin.port", options.Admin.Bind, options.Admin.Port);
        if (options.Health.Port > 0) yield return new("health.port", "::", options.Health.Port);
        if (options.Batch.Enabled) yield return new("batch.port", "::", options.Batch.Port);
    }

    /// <summary>"::" takes IPv4 too, so one of all addresses overlaps with every other.</summary>
    private static bool Overlap(string first, string second)
    {
        var (a, b) = (IPAddress.Parse(first), IPAddress.Parse(second));
        return a.Equals(b) || IsAny(a) || IsAny(b);
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
