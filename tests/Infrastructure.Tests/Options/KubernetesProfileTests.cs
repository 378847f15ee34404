using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Options;

public sealed class KubernetesProfileTests : IDisposable
{
    private const string Spec = "kubernetes:\n  profiles:\n    p:\n      image: spark:1\n";
    private const string Pod = Spec + "      driver_template:\n";

    private readonly ConfigFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Each case is the body of config:, with "!" at the line that the problem must name.</summary>
    public static TheoryData<string, string, string> Cases => new()
    {
        // What no flavour can do.
        { "kubernetes:\n  profiles:\n    !p: {service_account: a}", "kubernetes.profiles[p].image", "is missing" },
        { "kubernetes:\n  profiles:\n    p:\n      !image: spark 1", "kubernetes.profiles[p].image", "a container image such as" },
        { Spec + "      !flavour: livy", "kubernetes.profiles[p].flavour", "spark-application, spark-connect or apache" },
        { Spec + "      !image_pull_policy: Sometimes", "kubernetes.profiles[p].image_pull_policy", "Always, IfNotPresent or Never" },
        { Spec + "      !service_account: Spark", "kubernetes.profiles[p].service_account", "lower-case letters" },
        { Spec + "      !driver_memory: 4Gi", "kubernetes.profiles[p].driver_memory", "512m or 4g" },
        { Spec + "      !executor_instances: 0", "kubernetes.profiles[p].executor_instances", "spark.dynamicAllocation.enabled" },
        { Spec + "      !executors: 1", "kubernetes.profiles[p].executors", "unknown key" },
        // Settings that others make.
        { Spec + "      spark_conf:\n        !spark.master: local", "kubernetes.profiles[p].spark_conf[spark.master]", "its webhook refuses" },
        { Spec + "      spark_conf:\n        !spark.kubernetes.namespace: x", "kubernetes.profiles[p].spark_conf[spark.kubernetes.namespace]", "its webhook refuses" },
        { Spec + "      spark_conf:\n        !spark.kubernetes.driver.container.image: x", "kubernetes.profiles[p].spark_conf[spark.kubernetes.driver.container.image]", "use the profile's image" },
        { Spec + "      spark_conf:\n        !spark.kubernetes.authenticate.driver.oauthToken: x", "kubernetes.profiles[p].spark_conf[spark.kubernetes.authenticate.driver.oauthToken]", "its webhook refuses" },
        { Spec + "      spark_conf:\n        !spark.connect.grpc.binding.port: 1", "kubernetes.profiles[p].spark_conf[spark.connect.grpc.binding.port]", "the gateway sets this" },
        { Spec + "      spark_conf:\n        !spark.driver.timeout: 1min", "kubernetes.profiles[p].spark_conf[spark.driver.timeout]", "the gateway sets this" },
        { Spec + "      spark_conf:\n        !spark.kubernetes.driver.label.spark-gateway/team: x", "kubernetes.profiles[p].spark_conf[spark.kubernetes.driver.label.spark-gateway/team]", "the gateway sets this" },
        { Spec + "      spark_conf:\n        !spark.kubernetes.driverEnv.SPARK_CONNECT_AUTHENTICATE_TOKEN: x", "kubernetes.profiles[p].spark_conf[spark.kubernetes.driverEnv.SPARK_CONNECT_AUTHENTICATE_TOKEN]", "the gateway sets this" },
        { Spec + "      spark_conf:\n        !spark.executor.memoryOverhead: 1g", "kubernetes.profiles[p].spark_conf[spark.executor.memoryOverhead]", "use executor_memory_overhead" },
        { Spec + "      spark_conf:\n        !sql.x: 1", "kubernetes.profiles[p].spark_conf[sql.x]", "begin with 'spark.'" },
        { "platform: kubernetes\n" + Spec + "spark_connect:\n  on_demand:\n    spark_conf:\n      !spark.master: x", "spark_connect.on_demand.spark_conf[spark.master]", "its webhook refuses" },
        // What one flavour cannot do.
        { Spec + "      main_application_file: local:///a.jar\n      !main_class: org.apache.spark.sql.connect.service.SparkConnectServer", "kubernetes.profiles[p].main_class", "spark-submit in cluster mode, which refuses" },
        { Spec + "      !main_class: a.Main", "kubernetes.profiles[p].main_class", "set main_application_file" },
        { Spec + "      !main_application_file: local:///a.jar", "kubernetes.profiles[p].main_application_file", "set main_class" },
        { Spec + "      flavour: spark-connect\n      !main_class: a.Main", "kubernetes.profiles[p].main_class", "takes no other program" },
        { Spec + "      flavour: spark-connect\n      !main_application_file: a.py", "kubernetes.profiles[p].main_application_file", "takes no other program" },
        { Spec + "      flavour: spark-connect\n      !arguments: [a]", "kubernetes.profiles[p].arguments", "takes no other program" },
        { Spec + "      flavour: spark-connect\n      spark_conf:\n        !spark.x: $(touch x)", "kubernetes.profiles[p].spark_conf[spark.x]", "a shell's command line" },
        { Spec + "      flavour: spark-connect\n      spark_conf:\n        !spark.x: a b", "kubernetes.profiles[p].spark_conf[spark.x]", "a shell's command line" },
        { Spec + "      flavour: spark-connect\n      spark_conf:\n        !spark.x;y: a", "kubernetes.profiles[p].spark_conf[spark.x;y]", "a shell's command line" },
        { Spec + "      flavour: apache\n      !main_application_file: a.R", "kubernetes.profiles[p].main_application_file", "a .py file or a .jar only" },
        { Spec + "      flavour: apache\n      main_application_file: a.py\n      !main_class: a.Main", "kubernetes.profiles[p].main_class", "has no place for another" },
        // Templates.
        { Spec + "      !driver_template: [a]", "kubernetes.profiles[p].driver_template", "this is a map" },
        { Pod + "        metadata:\n          annotations:\n            !prometheus.io/scrape: true", "kubernetes.profiles[p].driver_template.metadata.annotations.prometheus.io/scrape", "true is no text" },
        { Pod + "        metadata:\n          labels:\n            !cost: 7", "kubernetes.profiles[p].driver_template.metadata.labels.cost", "7 is no text" },
        { Pod + "        spec:\n          nodeSelector:\n            !spot: false", "kubernetes.profiles[p].driver_template.spec.nodeSelector.spot", "Put it into quotes" },
        { Spec + "      executor_template:\n        metadata:\n          labels:\n            !cost:", "kubernetes.profiles[p].executor_template.metadata.labels.cost", "nothing is no text" },
        { Pod + "        metadata:\n          labels:\n            !spark-gateway/team: x", "kubernetes.profiles[p].driver_template.metadata.labels.spark-gateway/team", "the gateway sets labels of this prefix" },
        { Pod + "        spec:\n          !serviceAccountName: x", "kubernetes.profiles[p].driver_template.spec.serviceAccountName", "use the profile's service_account" },
        { Pod + "        spec:\n          !restartPolicy: Always", "kubernetes.profiles[p].driver_template.spec.restartPolicy", "always Never" },
        { Pod + "        spec:\n          !hostNetwork: true", "kubernetes.profiles[p].driver_template.spec.hostNetwork", "an address of its own" },
        { Pod + "        spec:\n          containers:\n          - name: spark-kubernetes-driver\n            !env: [{name: SPARK_CONNECT_AUTHENTICATE_TOKEN, value: x}]", "kubernetes.profiles[p].driver_template.spec.containers[0].env", "the gateway sets SPARK_CONNECT_AUTHENTICATE_TOKEN" },
        { Pod + "        spec:\n          !nodeSelectors: {a: b}", "kubernetes.profiles[p].driver_template.spec.nodeSelectors", "has no such field" },
        { Pod + "        !nodeSelector: {a: b}", "kubernetes.profiles[p].driver_template.nodeSelector", "has no such field" },
        { Pod + "        spec:\n          !tolerations: spark", "kubernetes.profiles[p].driver_template.spec.tolerations", "a value of another type" },
        { Pod + "        spec:\n          tolerations:\n          - operator: Exists\n            !key: true", "kubernetes.profiles[p].driver_template.spec.tolerations[0].key", "a value of another type" },
        { Pod + "        spec:\n          containers:\n          - name: a\n            env:\n            - name: b\n              !value: 7", "kubernetes.profiles[p].driver_template.spec.containers[0].env[0].value", "a value of another type" },
        // The choice of a profile.
        { "!platform: mesos", "platform", "local or kubernetes" },
        { "!platform: kubernetes\nspark_connect: {on_demand: {any_team: true}}", "kubernetes.default_profile", "'default' is not in kubernetes.profiles, there is none" },
        { "platform: kubernetes\n" + Spec + "spark_connect:\n  on_demand:\n    teams:\n    - team: a\n      environment: b\n      !profile: q", "spark_connect.on_demand.teams[0].profile", "there are: p; correct the name" },
        { "platform: kubernetes\n" + Spec + $"spark_connect:\n  on_demand:\n    teams:\n    !- {{team: {new string('a', 40)}, environment: {new string('b', 20)}, profile: p}}", "spark_connect.on_demand.teams[0]", "which has 66 characters" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_ProfileThatCannotWork_NamesLineReasonAndWayOut(string body, string key, string text)
    {
        var marked = "config:\n" + string.Join('\n', body.Split('\n').Select(line => "  " + line)) + "\n";
        var line = marked[..marked.IndexOf('!', StringComparison.Ordinal)].Count(c => c == '\n') + 1;

        var config = folder.Load(marked.Replace("!", "", StringComparison.Ordinal));

        var problem = Assert.Single(config.Problems, problem => problem.Key == key && problem.Text.Contains(text, StringComparison.Ordinal));
        if (key != "kubernetes.default_profile") Assert.Equal($"{folder.Root}/test.yml:{line}", problem.Where.ToString());
    }

    [Fact]
    public void Load_SmallestProfile_IsEnough()
    {
        var config = folder.Load("config:\n  platform: kubernetes\n  kubernetes: {profiles: {default: {image: spark:1}}}\n  spark_connect: {on_demand: {teams: [{team: a, environment: b}]}}\n");

        Assert.Empty(config.Problems);
        Assert.Empty(config.Warnings);
    }

    [Fact]
    public void Load_SettingThatOnlyLocalKnows_IsLeftToLocal()
    {
        var config = folder.Load("config:\n  kubernetes: {profiles: {default: {image: spark:1}}}\n  spark_connect: {on_demand: {spark_conf: {spark.driver.memoryOverhead: 1g}}}\n");

        Assert.Empty(config.Problems);
    }

    [Fact]
    public void Load_SparkWithoutTokens_Warns()
    {
        var config = folder.Load("config:\n  kubernetes: {profiles: {default: {image: spark:1, spark_version: 3.5.1}}}\n");

        Assert.Contains(config.Warnings, warning => warning.Key == "kubernetes.profiles[default]" && warning.Text.Contains("NetworkPolicy", StringComparison.Ordinal));
    }

    [Fact]
    public void Template_ReadPrintedAndReadAgain_KeepsItsTypesAndShowsNoSecret()
    {
        const string template = """
            config:
              kubernetes:
                profiles:
                  p:
                    image: spark:1
                    driver_template:
                      metadata: {annotations: {a: "true", b: 'x: y', "c d": "7"}}
                      spec:
                        terminationGracePeriodSeconds: 20
                        shareProcessNamespace: true
                        tolerations: [{key: spark, operator: Exists, tolerationSeconds: 30}]
                        containers:
                        - name: proxy
                          env: [{name: DB_PASSWORD, value: hunter2}, {name: LEVEL, value: "1"}, {name: URL, value: "http://u:hunter2@h/"}]
                          resources: {limits: {cpu: 1.5, memory: 1Gi}}
            """;
        var config = folder.Load(template);
        var tree = config.Options.Kubernetes.Profiles["p"].DriverTemplate;

        Assert.Empty(config.Problems);
        Assert.Equal("""{"annotations":{"a":"true","b":"x: y","c d":"7"}}""", tree["metadata"]!.ToJsonString());
        Assert.Equal("20 true 30 1.5 1Gi", $"{tree["spec"]!["terminationGracePeriodSeconds"]} {tree["spec"]!["shareProcessNamespace"]} {tree["spec"]!["tolerations"]![0]!["tolerationSeconds"]} {tree["spec"]!["containers"]![0]!["resources"]!["limits"]!["cpu"]} {tree["spec"]!["containers"]![0]!["resources"]!["limits"]!["memory"]}");

        var printed = config.ToYaml();
        Assert.DoesNotContain("hunter2", printed, StringComparison.Ordinal);
        var again = ConfigFolder.Load([folder.Write("again.yml", printed)]).Options.Kubernetes.Profiles["p"].DriverTemplate;
        var masked = tree.ToJsonString().Replace("hunter2\"", "***\"", StringComparison.Ordinal).Replace("u:hunter2@", "***@", StringComparison.Ordinal);
        Assert.Equal(masked, again.ToJsonString());
    }
}
