using System.Globalization;
using System.Text.Json;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>Reads parts of documents that others write: a part that is missing or of another type is simply not there.</summary>
internal static class Documents
{
    private static readonly JsonElement Nothing = JsonDocument.Parse("{}").RootElement;

    public static JsonElement At(this JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) ? value : Nothing;

    public static bool Has(this JsonElement parent, string name) => parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out _);

    public static string Text(this JsonElement parent, string name) =>
        parent.At(name) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : "";

    public static string? TextOrNull(this JsonElement parent, string name) => parent.Text(name) is { Length: > 0 } text ? text : null;

    public static int? Number(this JsonElement parent, string name) =>
        parent.At(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : null;

    public static IEnumerable<JsonElement> Items(this JsonElement parent, string name) =>
        parent.At(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    public static DateTimeOffset? Time(this JsonElement parent, string name) =>
        DateTimeOffset.TryParse(parent.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>What every flavour reads of an application in the same way.</summary>
    public static ApplicationView View(string flavour, KubeObject application, ApplicationPhase phase, string state, string message, string? podName)
    {
        var port = application.Json.At("spec").At("sparkConf").Text(SparkConfiguration.PortKey);
        return new ApplicationView
        {
            Flavour = flavour,
            Key = application.Key,
            Uid = application.Uid,
            Phase = phase,
            State = state,
            Message = message,
            PodName = podName,
            CreatedAt = application.CreatedAt,
            IsDeleting = application.DeletionTimestamp is not null,
            Instance = application.Label(GatewayLabels.Instance),
            SessionId = Guid.TryParse(application.Label(GatewayLabels.Session), out var id) ? id : null,
            Team = application.Label(GatewayLabels.Team),
            Environment = application.Label(GatewayLabels.Environment),
            User = application.Annotation(GatewayLabels.User),
            Profile = application.Annotation(GatewayLabels.Profile),
            RequestHash = application.Annotation(GatewayLabels.RequestHash),
            IsAttachable = application.Label(GatewayLabels.Attach) == "true",
            ConfiguredPort = int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 65_535 ? number : null,
        };
    }
}
