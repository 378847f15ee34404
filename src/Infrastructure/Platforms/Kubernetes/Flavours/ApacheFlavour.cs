using System.Globalization;
using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>The SparkApplication of spark.apache.org: nearly everything is a Spark setting. No spark-submit stands between, so the server's own class works.</summary>
internal sealed class ApacheFlavour : IFlavour
{
    private const string PythonRunner = "org.apache.spark.deploy.PythonRunner";

    public string Name => "apache";

    public ResourceKind Kind { get; } = new("spark.apache.org", "v1", "sparkapplications", "SparkApplication");

    /// <summary>Longer ones get a pod whose name is a hash.</summary>
    public int MaxName => 44;

    public string PodSelector => "spark-role=driver";

    public string DriverContainer => PodTemplates.DriverContainer;

    public JsonObject Build(ApplicationSpec spec)
    {
        var profile = spec.Profile;
        var isPython = IsPython(profile);
        var isServer = profile.MainClass.Length == 0 && !isPython;
        return ApplicationDocument.Of(Kind, spec, ApplicationDocument.WithoutNulls(new JsonObject
        {
            ["runtimeVersions"] = new JsonObject { ["sparkVersion"] = profile.SparkVersion },
            ["mainClass"] = isServer ? SparkConfiguration.ServerClass : isPython ? PythonRunner : profile.MainClass,
            ["jars"] = isPython ? null : ApplicationDocument.TextOrNull(profile.MainApplicationFile),
            ["pyFiles"] = isPython ? profile.MainApplicationFile : null,
            ["driverArgs"] = ApplicationDocument.Texts(profile.Arguments),
            ["sparkConf"] = SparkConfiguration.ToJson(Settings(spec, isServer || profile.MainClass == SparkConfiguration.ServerClass)),
            ["driverSpec"] = new JsonObject { ["podTemplateSpec"] = PodTemplates.Driver(spec) },
            ["executorSpec"] = PodTemplates.Executor(profile) is { } template ? new JsonObject { ["podTemplateSpec"] = template } : null,
            ["applicationTolerations"] = new JsonObject
            {
                ["restartConfig"] = new JsonObject { ["restartPolicy"] = "Never" },
                // Until then the pod tells why it ended.
                ["resourceRetainPolicy"] = "OnFailure",
                ["ttlAfterStopMillis"] = (long)spec.FinishedTtl.TotalMilliseconds,
            },
        }));
    }

    public ApplicationView Parse(KubeObject application)
    {
        var current = application.Json.At("status").At("currentState");
        var state = current.Text("currentStateSummary");
        return Documents.View(Name, application, Phase(state), state, current.Text("message"), null);
    }

    public IEnumerable<ProfileFault> Check(Profile profile)
    {
        var file = profile.MainApplicationFile;
        if (file.Length > 0 && !IsPython(profile) && !file.EndsWith(".jar", StringComparison.Ordinal))
            yield return new ProfileFault("main_application_file", "this operator takes a .py file or a .jar only; use one of these, or flavour spark-application.");
        if (profile.MainClass.Length > 0 && IsPython(profile))
            yield return new ProfileFault("main_class", "this operator runs a .py file with a class of Spark's own and has no place for another; remove it.");
        if (profile.MainClass.Length == 0 && file.EndsWith(".jar", StringComparison.Ordinal))
            yield return new ProfileFault("main_application_file", "the class in it must be named; set main_class.");
    }

    private static bool IsPython(Profile profile) => profile.MainApplicationFile.EndsWith(".py", StringComparison.Ordinal);

    private static SortedDictionary<string, string> Settings(ApplicationSpec spec, bool isServer)
    {
        var profile = spec.Profile;
        var settings = SparkConfiguration.Of(spec, asPlugin: !isServer);
        settings["spark.kubernetes.container.image"] = profile.Image;
        settings["spark.kubernetes.container.image.pullPolicy"] = profile.ImagePullPolicy;
        if (profile.ImagePullSecrets.Count > 0) settings["spark.kubernetes.container.image.pullSecrets"] = string.Join(',', profile.ImagePullSecrets);
        settings["spark.kubernetes.authenticate.driver.serviceAccountName"] = profile.ServiceAccount;
        settings["spark.kubernetes.driver.podTemplateContainerName"] = PodTemplates.DriverContainer;
        settings["spark.driver.cores"] = Text(profile.Driver.Cores);
        settings["spark.driver.memory"] = profile.Driver.Memory;
        if (profile.Driver.MemoryOverhead.Length > 0) settings["spark.driver.memoryOverhead"] = profile.Driver.MemoryOverhead;
        settings["spark.executor.instances"] = Text(profile.ExecutorInstances);
        settings["spark.executor.cores"] = Text(profile.Executor.Cores);
        settings["spark.executor.memory"] = profile.Executor.Memory;
        if (profile.Executor.MemoryOverhead.Length > 0) settings["spark.executor.memoryOverhead"] = profile.Executor.MemoryOverhead;
        if (spec.TokenSecret is not null) settings[$"spark.kubernetes.driver.secretKeyRef.{SparkConfiguration.TokenVariable}"] = $"{spec.TokenSecret}:{ApplicationSpec.TokenKey}";
        foreach (var (key, value) in ApplicationDocument.Labels(spec)) settings[$"spark.kubernetes.driver.label.{key}"] = value!.ToString();
        return settings;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static ApplicationPhase Phase(string state) => state switch
    {
        "" => ApplicationPhase.Pending,
        "Submitted" or "DriverRequested" or "DriverStarted" => ApplicationPhase.Starting,
        "ScheduledToRestart" => ApplicationPhase.Restarting,
        "Succeeded" => ApplicationPhase.Ending,
        "DriverStartTimedOut" or "ExecutorsStartTimedOut" or "DriverReadyTimedOut" or "Failed" or "SchedulingFailure" or "DriverEvicted" => ApplicationPhase.Failed,
        "ResourceReleased" or "TerminatedWithoutReleaseResources" => ApplicationPhase.Done,
        _ => ApplicationPhase.Running,
    };
}
