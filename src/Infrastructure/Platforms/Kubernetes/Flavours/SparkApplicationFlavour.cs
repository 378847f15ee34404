using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>kubeflow's SparkApplication: its operator runs spark-submit in cluster mode, so the server comes up as a plugin of a program that waits.</summary>
internal sealed class SparkApplicationFlavour : IFlavour
{
    private const string DefaultMain = "local:///opt/spark-gateway/connect_main.py";

    public string Name => "spark-application";

    public ResourceKind Kind { get; } = new("sparkoperator.k8s.io", "v1beta2", "sparkapplications", "SparkApplication");

    public int MaxName => 63;

    public string PodSelector => "spark-role=driver";

    public string DriverContainer => PodTemplates.DriverContainer;

    public JsonObject Build(ApplicationSpec spec)
    {
        var profile = spec.Profile;
        var main = profile.MainApplicationFile.Length > 0 ? profile.MainApplicationFile : DefaultMain;
        return ApplicationDocument.Of(Kind, spec, ApplicationDocument.WithoutNulls(new JsonObject
        {
            ["type"] = TypeOf(main),
            // Without the operator's webhook nothing fills it in, and spark-submit refuses.
            ["mode"] = "cluster",
            ["sparkVersion"] = profile.SparkVersion,
            ["image"] = profile.Image,
            ["imagePullPolicy"] = profile.ImagePullPolicy,
            ["imagePullSecrets"] = ApplicationDocument.Texts(profile.ImagePullSecrets),
            ["mainClass"] = ApplicationDocument.TextOrNull(profile.MainClass),
            ["mainApplicationFile"] = main,
            ["arguments"] = ApplicationDocument.Texts(profile.Arguments),
            ["sparkConf"] = SparkConfiguration.ToJson(SparkConfiguration.Of(spec, asPlugin: true)),
            ["driver"] = Driver(spec),
            ["executor"] = Executor(profile),
            ["restartPolicy"] = new JsonObject { ["type"] = "Never" },
            ["timeToLiveSeconds"] = (long)spec.FinishedTtl.TotalSeconds,
        }));
    }

    public ApplicationView Parse(KubeObject application)
    {
        var status = application.Json.At("status");
        var state = status.At("applicationState").Text("state");
        var view = Documents.View(Name, application, Phase(state), state, status.At("applicationState").Text("errorMessage"), status.At("driverInfo").TextOrNull("podName"));
        return view with { Submission = status.TextOrNull("submissionID") };
    }

    public IEnumerable<ProfileFault> Check(Profile profile)
    {
        if (profile.MainClass == SparkConfiguration.ServerClass)
            yield return new ProfileFault("main_class", "this operator runs spark-submit in cluster mode, which refuses Spark's own server class. Leave main_class empty for the session image's connect_main.py, or use flavour spark-connect or apache.");
        if (profile.MainClass.Length > 0 && profile.MainApplicationFile.Length == 0)
            yield return new ProfileFault("main_class", "a class needs the file that holds it; set main_application_file, such as local:///opt/app/main.jar.");
        if (profile.MainClass.Length == 0 && profile.MainApplicationFile.EndsWith(".jar", StringComparison.Ordinal))
            yield return new ProfileFault("main_application_file", "spark-submit needs to know the class in it; set main_class.");
    }

    private static JsonObject Driver(ApplicationSpec spec) => ApplicationDocument.WithoutNulls(new JsonObject
    {
        ["cores"] = spec.Profile.Driver.Cores,
        ["memory"] = spec.Profile.Driver.Memory,
        ["memoryOverhead"] = ApplicationDocument.TextOrNull(spec.Profile.Driver.MemoryOverhead),
        ["serviceAccount"] = spec.Profile.ServiceAccount,
        // The one way to the environment that needs no webhook.
        ["envSecretKeyRefs"] = spec.TokenSecret is null ? null : new JsonObject
        {
            [SparkConfiguration.TokenVariable] = new JsonObject { ["name"] = spec.TokenSecret, ["key"] = ApplicationSpec.TokenKey },
        },
        ["template"] = PodTemplates.Driver(spec),
    });

    private static JsonObject Executor(Profile profile) => ApplicationDocument.WithoutNulls(new JsonObject
    {
        ["cores"] = profile.Executor.Cores,
        // Its schema knows no 0: then dynamic allocation decides alone.
        ["instances"] = profile.ExecutorInstances == 0 ? null : profile.ExecutorInstances,
        ["memory"] = profile.Executor.Memory,
        ["memoryOverhead"] = ApplicationDocument.TextOrNull(profile.Executor.MemoryOverhead),
        ["template"] = PodTemplates.Executor(profile),
    });

    private static string TypeOf(string main) =>
        main.EndsWith(".py", StringComparison.Ordinal) ? "Python" : main.EndsWith(".R", StringComparison.OrdinalIgnoreCase) ? "R" : "Scala";

    private static ApplicationPhase Phase(string state) => state switch
    {
        "" => ApplicationPhase.Pending,
        "SUBMITTED" => ApplicationPhase.Starting,
        "SUCCEEDING" or "FAILING" => ApplicationPhase.Ending,
        "SUBMISSION_FAILED" or "FAILED" => ApplicationPhase.Failed,
        "PENDING_RERUN" or "INVALIDATING" => ApplicationPhase.Restarting,
        "SUSPENDING" or "SUSPENDED" or "RESUMING" => ApplicationPhase.Stopped,
        "COMPLETED" => ApplicationPhase.Done,
        // RUNNING, UNKNOWN and words of later versions: the pod tells.
        _ => ApplicationPhase.Running,
    };
}
