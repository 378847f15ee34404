using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Flavours;

internal static class Given
{
    public static Profile Profile(string flavour, Action<KubernetesProfileOptions>? change = null)
    {
        var options = new KubernetesProfileOptions { Flavour = flavour, Image = "registry.example/spark:4.1.0" };
        change?.Invoke(options);
        return ProfileCatalog.Resolve("default", options, new OnDemandOptions());
    }

    public static ApplicationSpec Spec(Profile profile, string name = "spark-connect-data-k4t7x2bq") => new()
    {
        Key = new ObjectKey("sjns-data-control", name),
        SessionId = Guid.Parse("0b5c7a4e-9d0f-4f2b-8a55-3c1f2e4d5a6b"),
        Instance = "6f1f0c0e-5f3e-4c6c-9a53-0f6a2c9d8b11",
        Team = "data",
        Environment = "control",
        User = "jo@example.com",
        Profile = profile,
        DriverTimeout = TimeSpan.FromMinutes(245),
        FinishedTtl = TimeSpan.FromMinutes(10),
        TokenSecret = name,
    };

    /// <summary>All that a profile can say, with values that are easily written wrong.</summary>
    public static Profile Awkward(string flavour, string image = "registry.example/team/spark@sha256:0123") => Profile(flavour, options =>
    {
        options.Image = image;
        options.ImagePullPolicy = "Always";
        options.ImagePullSecrets = ["registry", "other.registry"];
        if (flavour != "spark-connect") options.Arguments = ["--day", "true", "", "a b\"c'd$(e)\n"];
        if (flavour == "apache") (options.MainClass, options.MainApplicationFile) = ("org.example.Main", "local:///opt/main.jar");
        options.SparkConf = new()
        {
            ["spark.plugins"] = "org.example.Plugin, org.apache.spark.deploy.DriverTimeoutPlugin",
            ["spark.sql.shuffle.partitions"] = "200",
            ["spark.ui.enabled"] = "true",
            ["spark.empty"] = "",
            ["spark.dynamicAllocation.enabled"] = "true",
        };
        if (flavour != "spark-connect") options.SparkConf["spark.driver.extraJavaOptions"] = "-Da=\"b c\" -Dé=ü $(date) `id` \\ ' \u2028";
        options.DriverCores = "1";
        options.DriverMemory = "1500M";
        options.DriverMemoryOverhead = "512m";
        options.ExecutorInstances = 0;
        options.ExecutorMemory = "1GB";
        options.ExecutorMemoryOverhead = "1g";
        options.DriverTemplate = JsonNode.Parse("""
            {
              "metadata": {"labels": {"cost": "7", "on": "true"}, "annotations": {"prometheus.io/scrape": "true", "n": "1e3", "text": "a: b\n- c"}},
              "spec": {
                "nodeSelector": {"pool": "memory", "spot": "false"},
                "tolerations": [{"key": "spark", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}],
                "terminationGracePeriodSeconds": 20,
                "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "10Gi"}}],
                "containers": [
                  {"name": "proxy", "image": "sleep:600", "env": [{"name": "LEVEL", "value": "1"}]},
                  {"name": "spark-kubernetes-driver", "env": [{"name": "ON", "value": "yes"}], "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}], "resources": {"limits": {"cpu": "1500m"}}}
                ]
              }
            }
            """)!.AsObject();
        options.ExecutorTemplate = JsonNode.Parse("""{"spec": {"nodeSelector": {"pool": "spot"}, "containers": [{"name": "spark-kubernetes-executor"}]}}""")!.AsObject();
    });
}
