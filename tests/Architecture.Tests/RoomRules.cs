using ArchUnitNET.Domain;

namespace SparkGateway.Architecture.Tests;

/// <summary>What may use what. Each rule gives the places where a house breaks it.</summary>
internal static class RoomRules
{
    /// <summary>What Features knows beside the plain language: no store, no cluster, no socket, no web server.</summary>
    private static readonly string[] FeaturePackages =
    [
        "MediatR", "FluentValidation", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Logging", "Microsoft.Extensions.Options",
    ];

    private static readonly string[] OutsideWorld =
    [
        "System.Net.Sockets", "System.Net.Http", "System.Data", "System.IO.File", "System.IO.Directory", "System.IO.FileStream", "System.Diagnostics.Process",
    ];

    /// <summary>A state machine gets bytes and a clock value; whoever waits, locks or reads a clock inside it makes it untestable.</summary>
    private static readonly string[] Impure =
    [
        "System.Net.Sockets", "System.IO.Stream", "System.Threading", "System.Timers", "System.TimeProvider", "System.Diagnostics.Stopwatch",
        "System.DateTime", "System.DateTimeOffset", "System.IO.Pipelines", "System.Console", "System.IO.File", "MediatR",
    ];

    /// <summary>Types of the pure rooms may hold these: they wait for nothing.</summary>
    private static readonly string[] PureAfterAll = ["System.Threading.CancellationToken", "System.Threading.Interlocked", "System.Threading.Volatile"];

    /// <summary>Slices share these two folders and the Domain, nothing else.</summary>
    private static readonly string[] SharedByAllSlices = ["Ports", "Pipeline"];

    public static IReadOnlyList<string> Domain(House house) =>
        House.Breaks(house.In("Domain"), (_, used) => !house.Holds("Domain", used) && (!IsSystem(used) || House.IsIn(used, OutsideWorld)));

    public static IReadOnlyList<string> Features(House house) =>
        House.Breaks(house.In("Features"), (_, used) =>
            !house.Holds("Domain", used) && !house.Holds("Features", used) && !House.IsIn(used, FeaturePackages) && (!IsSystem(used) || House.IsIn(used, OutsideWorld)));

    public static IReadOnlyList<string> Infrastructure(House house) =>
        House.Breaks(house.In("Infrastructure"), (_, used) => house.Holds("Api", used) || House.IsIn(used, "Microsoft.AspNetCore"));

    public static IReadOnlyList<string> Slices(House house) =>
        House.Breaks(house.In("Features"), (type, used) =>
            SliceOf(house, type.FullName) is { } own && SliceOf(house, used) is { } other && own != other);

    public static IReadOnlyList<string> PureRelay(House house) =>
        House.Breaks(house.In("Infrastructure.Relay.Http2", "Infrastructure.Relay.Calls"), (_, used) => House.IsIn(used, Impure) && !House.IsIn(used, PureAfterAll));

    public static IReadOnlyList<string> RelaySockets(House house) =>
        House.Breaks(
            house.In("Infrastructure.Relay").Where(type => !house.Holds("Infrastructure.Relay.Transport", type.FullName)),
            (_, used) => House.IsIn(used, "System.Net.Sockets", "System.Net.Security"));

    /// <summary>KubernetesClient is one platform's business: elsewhere an object of a cluster is one of our own types.</summary>
    public static IReadOnlyList<string> KubernetesTypes(House house) =>
        House.Breaks(
            house.In("Infrastructure", "Api").Where(type => !house.Holds("Infrastructure.Platforms.Kubernetes", type.FullName)),
            (_, used) => House.IsIn(used, "k8s"));

    /// <summary>
    /// A public type is an AddX class, an option, or something that Api uses, itself or through a type that it uses. All
    /// others are internal.
    /// </summary>
    public static IReadOnlyList<string> InternalTypes(House house)
    {
        var open = house.In("Infrastructure").Where(type => type.Visibility == Visibility.Public).ToDictionary(type => type.FullName);
        var needed = new Queue<string>(house.In("Api").SelectMany(House.Uses)
            .Concat(open.Keys.Where(name => house.Holds("Infrastructure.Options", name) || open[name].Members.Any(member => member.Name.StartsWith("Add", StringComparison.Ordinal)))));
        while (needed.TryDequeue(out var name))
        {
            if (!open.Remove(name, out var type)) continue;
            foreach (var used in House.Uses(type)) needed.Enqueue(used);
        }

        return [.. open.Keys.Order().Select(name => $"{name} is public")];
    }

    private static bool IsSystem(string type) => House.IsIn(type, "System");

    private static string? SliceOf(House house, string type)
    {
        if (!house.Holds("Features", type)) return null;
        var path = type[(house.Root.Length + ".Features.".Length)..].Split('.');
        return path.Length > 1 && !SharedByAllSlices.Contains(path[0]) ? path[0] : null;
    }
}
