using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using k8s.Models;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

/// <summary>
/// Pod templates. The API server does not look into those of an application, and one that an operator cannot read stops it for
/// the whole cluster: so nothing of the wrong type may get there.
/// </summary>
internal static partial class TemplateCheck
{
    private const string DriverKey = "driver_template";
    private const string ExecutorKey = "executor_template";

    private static readonly JsonSerializerOptions Strict = new() { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    public static IEnumerable<ProfileFault> Driver(JsonObject template) =>
        Common(DriverKey, template).Concat(Containers(template));

    public static IEnumerable<ProfileFault> Executor(JsonObject template) => Common(ExecutorKey, template);

    private static IEnumerable<ProfileFault> Common(string key, JsonObject template)
    {
        var texts = Texts(key, template).ToList();
        foreach (var fault in texts) yield return fault;
        if (texts.Count == 0 && Shape(key, template) is { } misshapen) yield return misshapen;
        foreach (var label in (template["metadata"]?["labels"] as JsonObject ?? []).Where(label => label.Key.StartsWith(GatewayLabels.Prefix, StringComparison.Ordinal)))
            yield return new ProfileFault($"{key}.metadata.labels.{label.Key}", "the gateway sets labels of this prefix itself; remove it.");
        if (template["spec"] is not JsonObject spec) yield break;
        if (spec.ContainsKey("serviceAccountName")) yield return new ProfileFault($"{key}.spec.serviceAccountName", "use the profile's service_account; remove it here.");
        if (spec.ContainsKey("restartPolicy")) yield return new ProfileFault($"{key}.spec.restartPolicy", "it is always Never: a driver that is started again has lost its sessions; remove it.");
        if (spec["hostNetwork"] is not null) yield return new ProfileFault($"{key}.spec.hostNetwork", "a driver needs an address of its own, and with this it has its node's; remove it.");
    }

    private static IEnumerable<ProfileFault> Containers(JsonObject template)
    {
        if (template["spec"]?["containers"] is not JsonArray containers) yield break;
        for (var i = 0; i < containers.Count; i++)
            if (containers[i]?["env"] is JsonArray variables && variables.Any(variable => variable?["name"]?.ToString() == SparkConfiguration.TokenVariable))
                yield return new ProfileFault($"{DriverKey}.spec.containers[{i}].env", $"the gateway sets {SparkConfiguration.TokenVariable} for each driver itself; remove it.");
    }

    /// <summary>The places where YAML makes a number or a truth value of what Kubernetes wants as text.</summary>
    private static IEnumerable<ProfileFault> Texts(string key, JsonObject template)
    {
        var places = new List<(string Path, JsonNode? Node)>
        {
            ($"{key}.metadata.labels", template["metadata"]?["labels"]),
            ($"{key}.metadata.annotations", template["metadata"]?["annotations"]),
            ($"{key}.spec.nodeSelector", template["spec"]?["nodeSelector"]),
        };
        return places
            .Where(place => place.Node is JsonObject)
            .SelectMany(place => place.Node!.AsObject().Select(entry => (Path: $"{place.Path}.{entry.Key}", entry.Value)))
            .Where(entry => entry.Value?.GetValueKind() != JsonValueKind.String)
            .Select(entry => new ProfileFault(entry.Path, $"{entry.Value?.ToJsonString() ?? "nothing"} is no text, and Kubernetes takes text only here: an operator may stop at it for the whole cluster. Put it into quotes."));
    }

    /// <summary>The first place where the template is none: a field that Kubernetes does not know, or a value of another type.</summary>
    private static ProfileFault? Shape(string key, JsonObject template)
    {
        try
        {
            template.Deserialize<V1PodTemplateSpec>(Strict);
            return null;
        }
        catch (JsonException e)
        {
            var place = QuotedStep().Replace((e.Path ?? "$")[1..], ".$1");
            var reason = e.Message.Contains("could not be mapped", StringComparison.Ordinal) ? "Kubernetes' pod template has no such field; correct the name or its place."
                : e.Message.Contains("missing required properties", StringComparison.Ordinal) ? "something that Kubernetes needs is missing here, such as a name."
                : "Kubernetes wants a value of another type here: look at quotes, dashes and indentation.";
            return new ProfileFault(key + place, reason);
        }
    }

    [GeneratedRegex("\\['([^']*)'\\]", RegexOptions.CultureInvariant)]
    private static partial Regex QuotedStep();
}
