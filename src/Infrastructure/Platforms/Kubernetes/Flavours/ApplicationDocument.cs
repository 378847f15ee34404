using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>The frame of the document that each flavour fills: names, labels, annotations.</summary>
internal static class ApplicationDocument
{
    // Of a user's name, which may be anything: annotations are no place for kilobytes.
    private const int LongestUser = 256;

    public static JsonObject Labels(ApplicationSpec spec) => new()
    {
        [GatewayLabels.ManagedBy] = GatewayLabels.Manager,
        [GatewayLabels.Instance] = spec.Instance,
        [GatewayLabels.Kind] = GatewayLabels.SessionKind,
        [GatewayLabels.Session] = spec.SessionId.ToString(),
        [GatewayLabels.Team] = spec.Team,
        [GatewayLabels.Environment] = spec.Environment,
    };

    public static JsonObject Of(ResourceKind kind, ApplicationSpec spec, JsonObject body) => new()
    {
        ["apiVersion"] = kind.ApiVersion,
        ["kind"] = kind.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = spec.Key.Name,
            ["namespace"] = spec.Key.Namespace,
            ["labels"] = Labels(spec),
            ["annotations"] = new JsonObject
            {
                [GatewayLabels.Profile] = spec.Profile.Name,
                [GatewayLabels.RequestHash] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{spec.Key} {spec.SessionId} {body.ToJsonString()}"))),
                [GatewayLabels.User] = spec.User.Length <= LongestUser ? spec.User : spec.User[..LongestUser],
            },
        },
        ["spec"] = body,
    };

    /// <summary>A list of texts, or null to leave the key out.</summary>
    public static JsonArray? Texts(IReadOnlyList<string> texts) => texts.Count == 0 ? null : new JsonArray([.. texts.Select(text => (JsonNode)text)]);

    /// <summary>Drops keys without a value: with strict validation null is not the same as nothing.</summary>
    public static JsonObject WithoutNulls(JsonObject body)
    {
        foreach (var key in body.Where(entry => entry.Value is null).Select(entry => entry.Key).ToList()) body.Remove(key);
        return body;
    }

    public static JsonNode? TextOrNull(string text) => text.Length == 0 ? null : text;
}
