using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Attached;

/// <summary>The attached (BYOD) drivers of the configuration: always a valid list, replaced as a whole.</summary>
public sealed partial class AttachedSessions(ILogger<AttachedSessions> logger)
{
    private readonly Lock gate = new();
    private IReadOnlyList<AttachedDriver> current = [];

    /// <summary>Raised after the list has changed, with the new one.</summary>
    public event Action<IReadOnlyList<AttachedDriver>>? Changed;

    public IReadOnlyList<AttachedDriver> Current => Volatile.Read(ref current);

    /// <summary>Takes the list as configured. One wrong entry leaves the former list in force; the error names every fault.</summary>
    public Result<IReadOnlyList<AttachedDriver>> Update(IReadOnlyList<AttachedOptions> configured)
    {
        var faults = configured.SelectMany(Faults).Concat(Duplicates(configured)).ToList();
        if (faults.Count > 0)
        {
            var text = string.Join(' ', faults);
            LogRefused(text);
            return GatewayError.Invalid(text);
        }

        var next = configured.Select(ToDriver).ToList();
        lock (gate)
        {
            if (next.SequenceEqual(current)) return Result<IReadOnlyList<AttachedDriver>>.Ok(current);
            Volatile.Write(ref current, next);
        }

        LogChanged(next.Count);
        Changed?.Invoke(next);
        return Result<IReadOnlyList<AttachedDriver>>.Ok(next);
    }

    private static AttachedDriver ToDriver(AttachedOptions entry) =>
        new(new SessionName(entry.Namespace, entry.Name), entry.Address, entry.TokenFile.Length > 0 ? entry.TokenFile : null);

    private static IEnumerable<string> Faults(AttachedOptions entry, int index)
    {
        var key = $"spark_connect.attached[{index}]";
        if (!SessionName.IsName(entry.Name) || entry.Name == "new") yield return $"{key}.name is \"{Cut(entry.Name)}\": write {SessionName.NameRule}, and not \"new\", which asks for a driver on demand.";
        if (!SessionName.IsLabel(entry.Namespace)) yield return $"{key}.namespace is \"{Cut(entry.Namespace)}\": write {SessionName.LabelRule}.";
        if (!IsAddress(entry.Address)) yield return $"{key}.address is \"{Cut(entry.Address)}\": write HOST:PORT, such as spark.example.com:15002, 10.0.0.7:15002 or [fd00::7]:15002.";
    }

    private static IEnumerable<string> Duplicates(IReadOnlyList<AttachedOptions> configured) => configured
        .GroupBy(entry => new SessionName(entry.Namespace, entry.Name))
        .Where(same => same.Count() > 1)
        .Select(same => $"spark_connect.attached lists {Cut(same.Key.ToString())} {same.Count()} times: a namespace and a name may occur once.");

    private static bool IsAddress(string address)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return false;
        if (port is < 1 or > IPEndPoint.MaxPort) return false;
        var host = address[..colon];
        return host is ['[', .. var inner, ']']
            ? Uri.CheckHostName(inner) == UriHostNameType.IPv6
            : Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4;
    }

    private static string Cut(string text) => text.Length <= 80 ? text : text[..80] + "...";

    [LoggerMessage(3020, LogLevel.Information, "Attached sessions: {Count} configured")]
    private partial void LogChanged(int count);

    [LoggerMessage(3021, LogLevel.Error, "The list of attached sessions is refused, the former one stays: {Faults}")]
    private partial void LogRefused(string faults);
}
