using System.Text.Json;
using System.Text.Json.Nodes;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Infrastructure.Tests.Options;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>What a real API server held of one start, with kubeflow's operator 2.5.2: application, pod and events, without parts that nobody reads.</summary>
internal sealed class Sample
{
    private readonly JsonElement document;

    private Sample(JsonElement document) => this.document = document;

    public static string Folder { get; } = Path.Combine(ConfigFolder.Solution, "tests", "Infrastructure.Tests", "Platforms", "Kubernetes", "Samples");

    public KubeObject ApplicationObject => Object(document.GetProperty("application"));

    public ApplicationView Application => AllFlavours.List.First(flavour => flavour.Kind.Kind == ApplicationObject.Json.GetProperty("kind").GetString()).Parse(ApplicationObject);

    public KubeObject PodObject => Object(document.GetProperty("pod"));

    public DriverPod? Pod => document.GetProperty("pod").ValueKind == JsonValueKind.Null ? null : DriverPod.Parse(PodObject, PodTemplates.DriverContainer);

    public IReadOnlyList<PodEvent> Events =>
    [
        .. document.GetProperty("events").EnumerateArray().Select(item => new PodEvent(
            item.GetProperty("at").GetDateTimeOffset(), item.GetProperty("type").GetString() == "Warning", item.GetProperty("reason").GetString()!, item.GetProperty("message").GetString()!)),
    ];

    public static KubeObject Object(JsonElement json) => KubeObject.TryOf(json, out var made) ? made : throw new ArgumentException("no object", nameof(json));

    public static Sample Of(string name) => new(JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json"))).RootElement);

    /// <summary>The same object with something changed.</summary>
    public static KubeObject Change(KubeObject seen, Action<JsonNode> change)
    {
        var body = JsonNode.Parse(seen.Json.GetRawText())!;
        change(body);
        return Object(JsonDocument.Parse(body.ToJsonString()).RootElement);
    }

    public StartFacts Facts(bool hadPod = false, string log = "")
    {
        var key = ApplicationObject.Key;
        return new StartFacts(new SessionName(key.Namespace, key.Name), Application, Pod, hadPod, Events, log);
    }
}
