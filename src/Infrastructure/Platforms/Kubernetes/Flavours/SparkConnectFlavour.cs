using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>kubeflow's SparkConnect: its operator makes the server's pod itself. Labels, account, secrets and requests go by the pod's template.</summary>
internal sealed partial class SparkConnectFlavour : IFlavour
{
    public string Name => "spark-connect";

    public ResourceKind Kind { get; } = new("sparkoperator.k8s.io", "v1alpha1", "sparkconnects", "SparkConnect");

    public int MaxName => 56;

    public string PodSelector => "spark-role=connect-server";

    public string DriverContainer => PodTemplates.DriverContainer;

    public JsonObject Build(ApplicationSpec spec)
    {
        var profile = spec.Profile;
        var settings = SparkConfiguration.Of(spec, asPlugin: false);
        if (profile.Driver.MemoryOverhead.Length > 0) settings["spark.driver.memoryOverhead"] = profile.Driver.MemoryOverhead;
        if (profile.Executor.MemoryOverhead.Length > 0) settings["spark.executor.memoryOverhead"] = profile.Executor.MemoryOverhead;
        return ApplicationDocument.Of(Kind, spec, new JsonObject
        {
            ["sparkVersion"] = profile.SparkVersion,
            ["image"] = profile.Image,
            ["sparkConf"] = SparkConfiguration.ToJson(settings),
            ["server"] = new JsonObject
            {
                ["cores"] = profile.Driver.Cores,
                ["memory"] = profile.Driver.Memory,
                ["template"] = Template(spec),
            },
            ["executor"] = ApplicationDocument.WithoutNulls(new JsonObject
            {
                ["cores"] = profile.Executor.Cores,
                ["instances"] = profile.ExecutorInstances,
                ["memory"] = profile.Executor.Memory,
                ["template"] = PodTemplates.Executor(profile),
            }),
        });
    }

    public ApplicationView Parse(KubeObject application)
    {
        var status = application.Json.At("status");
        var state = status.Text("state");
        return Documents.View(Name, application, Phase(state), state, Message(application), status.At("server").TextOrNull("podName"));
    }

    public IEnumerable<ProfileFault> Check(Profile profile)
    {
        const string own = "this operator starts Spark's own server and takes no other program; remove it, or use flavour spark-application.";
        if (profile.MainClass.Length > 0) yield return new ProfileFault("main_class", own);
        if (profile.MainApplicationFile.Length > 0) yield return new ProfileFault("main_application_file", own);
        if (profile.Arguments.Count > 0) yield return new ProfileFault("arguments", own);
        foreach (var (key, value) in profile.SparkConf)
            if (!HarmlessToShells().IsMatch(key) || !HarmlessToShells().IsMatch(value))
                yield return new ProfileFault($"spark_conf[{key}]", "this operator puts settings into a shell's command line as they are, so that blanks split them and other characters run programs; allowed here are letters, digits and _./:,=@%+-. Use flavour spark-application, or put the setting into the image's spark-defaults.conf.");
    }

    private static JsonObject Template(ApplicationSpec spec)
    {
        var template = PodTemplates.Driver(spec);
        PodTemplates.SetLabels(template, ApplicationDocument.Labels(spec));
        var pod = PodTemplates.Map(template, "spec");
        pod["serviceAccountName"] = spec.Profile.ServiceAccount;
        // A server that is started again has lost its sessions: its end must show.
        pod["restartPolicy"] = "Never";
        if (spec.Profile.ImagePullSecrets.Count > 0)
            pod["imagePullSecrets"] = new JsonArray([.. spec.Profile.ImagePullSecrets.Select(name => (JsonNode)new JsonObject { ["name"] = name })]);
        var container = PodTemplates.Container(template);
        container["imagePullPolicy"] = spec.Profile.ImagePullPolicy;
        PodTemplates.SetResources(container, spec.Profile.Driver);
        if (spec.TokenSecret is not null) PodTemplates.SetToken(container, spec.TokenSecret);
        return template;
    }

    private static string Message(KubeObject application)
    {
        foreach (var condition in application.Json.At("status").Items("conditions"))
            if (condition.Text("status") == "False")
                return condition.Text("message");
        return "";
    }

    /// <summary>Only the first two are ever set, and neither tells a start from an end: the pod does.</summary>
    private static ApplicationPhase Phase(string state) => state switch
    {
        "Ready" => ApplicationPhase.Running,
        "NotReady" or "Provisioning" => ApplicationPhase.Starting,
        "Failed" => ApplicationPhase.Failed,
        _ => ApplicationPhase.Pending,
    };

    [GeneratedRegex("^[A-Za-z0-9_./:,=@%+-]*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex HarmlessToShells();
}
