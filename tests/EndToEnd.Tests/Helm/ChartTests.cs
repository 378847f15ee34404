using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.Helm;

/// <summary>What the chart renders and refuses, without a cluster.</summary>
public sealed partial class ChartTests
{
    public static TheoryData<string> ValueSets => Chart.ValueSets;

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Lint_Strict_FindsNothing(string set)
    {
        var lint = await Chart.HelmAsync(["lint", "--strict", Chart.Folder, .. Chart.Values(set)]);

        Assert.Contains("1 chart(s) linted, 0 chart(s) failed", lint.Good(), StringComparison.Ordinal);
        Assert.DoesNotContain("[WARNING]", lint.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_Default_NameWhatIsNeededOneByOne()
    {
        var refused = await Chart.TemplateAsync("");
        Assert.Contains("postgresql.secret is empty", refused.Output, StringComparison.Ordinal);

        refused = await Chart.TemplateAsync("", "postgresql.secret=pg");
        Assert.Contains("driverTokenKey.secret is empty", refused.Output, StringComparison.Ordinal);

        refused = await Chart.TemplateAsync("", "postgresql.secret=pg", "driverTokenKey.secret=key");
        Assert.Contains("sessions.namespaces is empty", refused.Output, StringComparison.Ordinal);

        (await Chart.TemplateAsync("", "postgresql.secret=pg", "driverTokenKey.secret=key", "sessions.namespaces={sjns-data-staging}")).Good();
    }

    [Theory]
    [InlineData("replicaCount=three", "'/replicaCount': got string, want integer")]
    [InlineData("replicaCount=0", "'/replicaCount': minimum: got 0, want 1")]
    [InlineData("replicas=3", "additional properties 'replicas' not allowed")]
    [InlineData("postgresql.url=postgres://u:p@db/x", "additional properties 'url' not allowed")]
    [InlineData("sessions.namespaces={SJNS}", "'/sessions/namespaces/0': 'SJNS' does not match")]
    [InlineData("sessions.flavours={kubeflow}", "value must be one of 'spark-application', 'spark-connect', 'apache'")]
    [InlineData("config.health.port=0", "'/config/health/port': minimum")]
    [InlineData("config.spark_connect=null", "'/config': missing property 'spark_connect'")]
    [InlineData("config.config.log.level=info", "leave the inner config: out")]
    [InlineData("config.spark_connect.port=8081", "are both 8081; give them two ports")]
    [InlineData("config.state_dir=/data", "config.state_dir is set by the chart")]
    [InlineData("config.spark_connect.tls.cert_file=/c", "config.spark_connect.tls.cert_file is set by tls.secret")]
    [InlineData("config.spark_connect.token_file=/t", "config.spark_connect.token_file is set by clientTokens.secret")]
    [InlineData("config.kubernetes.namespaces={a}", "config.kubernetes.namespaces is set by sessions.namespaces")]
    [InlineData("config.kubernetes.profiles.default.flavour=apache", "config.kubernetes.profiles.default has the flavour apache, which the gateway gets no rights for")]
    [InlineData("config.spark_connect.on_demand.teams[0].team=data", "missing property 'environment'")]
    [InlineData("replicaCount=2", "embedded.enabled is for one replica")]
    [InlineData("autoscaling.enabled=true", "embedded.enabled is for one replica")]
    [InlineData("postgresql.secret=pg", "embedded.enabled and postgresql.secret exclude each other")]
    [InlineData("secretMounts[0].path=/etc/tokens", "missing property 'secret'")]
    [InlineData("preStopSeconds=30", "'/preStopSeconds': maximum: got 30, want 10")]
    public async Task Values_Wrong_AreRefusedWithTheirPath(string value, string text)
    {
        (await Chart.TemplateAsync("embedded")).Good();

        var refused = await Chart.TemplateAsync("embedded", value);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(text, refused.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_TeamWhoseNamespaceIsNotListed_IsRefused()
    {
        var refused = await Chart.TemplateAsync("postgresql", "config.spark_connect.on_demand.teams[0].team=risk", "config.spark_connect.on_demand.teams[0].environment=prod");
        Assert.Contains("whose namespace sjns-risk-prod is not in sessions.namespaces", refused.Output, StringComparison.Ordinal);

        (await Chart.TemplateAsync("postgresql", "config.spark_connect.default_namespace_pattern=sjns-data-staging", "config.spark_connect.on_demand.teams[0].team=risk", "config.spark_connect.on_demand.teams[0].environment=prod")).Good();
    }

    [Fact]
    public void Values_EachKey_IsExplainedAndInTheSchema()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Chart.Folder, "values.schema.json")))!;
        var lines = File.ReadAllLines(Path.Combine(Chart.Folder, "values.yaml"));
        var explained = new HashSet<string>();
        foreach (var (number, line) in lines.Index())
        {
            if (TopKey().Match(line) is not { Success: true } key) continue;
            Assert.NotNull(schema["properties"]![key.Groups[1].Value]);

            // Its own comment, that of the group that it stands in, or one of a key below it.
            var before = lines.Take(number).Reverse().TakeWhile(text => text.Length > 0).Any(text => text.StartsWith('#') || explained.Contains(text));
            var below = lines.Skip(number + 1).TakeWhile(text => text.StartsWith(' ')).Any(text => text.TrimStart().StartsWith('#'));
            if (before) explained.Add(line);
            Assert.True(before || below, $"values.yaml:{number + 1} does not say what {key.Groups[1].Value} is");
        }

        var known = lines.Select(line => TopKey().Match(line)).Where(key => key.Success).Select(key => key.Groups[1].Value).Append("global");
        Assert.Equal(schema["properties"]!.AsObject().Select(property => property.Key).Order(), known.Order());
        AssertStrict(schema, "");
    }

    [Fact]
    public async Task Objects_OfAllSets_AreEveryKindOfTheChart()
    {
        var kinds = new List<string>();
        foreach (var row in Chart.ValueSets) kinds.AddRange((await Chart.RenderAsync(row.Data, "serviceMonitor.enabled=true")).Kinds);

        var written = Directory.GetFiles(Path.Combine(Chart.Folder, "templates"), "*.yaml")
            .SelectMany(File.ReadLines).Where(line => line.StartsWith("kind: ", StringComparison.Ordinal)).Select(line => line["kind: ".Length..]);
        Assert.Equal(written.Distinct().Order(), kinds.Distinct().Order());
    }

    [Fact]
    public async Task Config_OfProdYml_HoldsHereToo()
    {
        var own = (await Chart.RenderAsync("postgresql")).Config;
        var prod = await File.ReadAllTextAsync(Path.Combine(Sources.Root, "config", "prod.yml"));

        foreach (var setting in (string[])["format: json", "kind: postgres", "port: 8081"])
        {
            Assert.Contains(setting, prod, StringComparison.Ordinal);
            Assert.Contains(setting, own, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Pod_OfAnyDrainTime_HasFifteenSecondsMoreToEnd()
    {
        var drained = (await Chart.RenderAsync("postgresql", "config.spark_connect.drain_seconds=120")).Pod["spec"]!;

        Assert.Equal(135, (long)drained["terminationGracePeriodSeconds"]!);
        Assert.Equal(45, (long)(await Chart.RenderAsync("postgresql")).Pod["spec"]!["terminationGracePeriodSeconds"]!);
    }

    [Fact]
    public async Task Pod_ChangedConfiguration_RestartsButNotForAttachedSessions()
    {
        string[] attached = ["config.spark_connect.attached[0].name=nightly", "config.spark_connect.attached[0].namespace=sjns-data", "config.spark_connect.attached[0].address=10.1.2.3:15002"];
        var before = await Chart.RenderAsync("postgresql");
        var withAttached = await Chart.RenderAsync("postgresql", attached);
        var withLevel = await Chart.RenderAsync("postgresql", "config.log.level=debug");

        Assert.Contains("nightly", withAttached.Config, StringComparison.Ordinal);
        Assert.Equal(Checksum(before), Checksum(withAttached));
        Assert.NotEqual(Checksum(before), Checksum(withLevel));
    }

    [Fact]
    public async Task Pod_OfEverySecret_SeesFilesThatTheConfigurationNames()
    {
        var rendered = await Chart.RenderAsync("everything");
        var mounts = rendered.Container("gateway")["volumeMounts"]!.AsArray().Select(mount => (string)mount!["mountPath"]!).ToList();
        var named = ConfigPath().Matches(rendered.Config).Select(match => match.Value).ToList();

        Assert.Equal(
            ["/etc/spark-gateway/admin-tokens/tokens", "/etc/spark-gateway/client-tokens/tokens", "/etc/spark-gateway/driver-token-key/key", "/etc/spark-gateway/postgresql/connection", "/etc/spark-gateway/tls/tls.crt", "/etc/spark-gateway/tls/tls.key"],
            named.Order());
        Assert.All(named, path => Assert.Contains(Path.GetDirectoryName(path)!, mounts));
        Assert.DoesNotContain("/etc/spark-gateway/postgresql-owner", mounts);
        Assert.Contains("store.connection_string_file=/etc/spark-gateway/postgresql-owner/connection", Manifests.Texts(rendered.Container("migrate")["args"]));
        Assert.Equal(mounts.Append("/etc/spark-gateway/postgresql-owner").Order(), rendered.Container("migrate")["volumeMounts"]!.AsArray().Select(mount => (string)mount!["mountPath"]!).Order());
    }

    [Fact]
    public async Task Update_OfReplicas_TakesNoneAwayAndThatOfSqliteTakesTheOneAwayFirst()
    {
        var replicas = (await Chart.RenderAsync("postgresql")).One("Deployment")["spec"]!;
        Assert.Equal((3L, 0L), ((long)replicas["replicas"]!, (long)replicas["strategy"]!["rollingUpdate"]!["maxUnavailable"]!));

        var embedded = await Chart.RenderAsync("embedded");
        Assert.Equal("Recreate", (string)embedded.One("Deployment")["spec"]!["strategy"]!["type"]!);
        Assert.Null(embedded.Pod["spec"]!["initContainers"]);
        Assert.Empty(embedded.All("PodDisruptionBudget"));
        Assert.Null((await Chart.RenderAsync("cluster")).One("Deployment")["spec"]!["replicas"]);
    }

    [Theory]
    [InlineData("postgresql", "kubernetes.io/h2c")]
    [InlineData("everything", "https")]
    [InlineData("cluster", "grpc")]
    public async Task Service_TellsBalancersWhatItSpeaks(string set, string protocol)
    {
        var port = Assert.Single((await Chart.RenderAsync(set)).One("Service")["spec"]!["ports"]!.AsArray())!;

        Assert.Equal((15002L, protocol), ((long)port["port"]!, (string)port["appProtocol"]!));
    }

    [Fact]
    public async Task NetworkPolicy_OfSessions_LetsInTheGatewayAndTheDriversOwnExecutors()
    {
        var policy = (await Chart.RenderAsync("postgresql")).One("NetworkPolicy", $"{Chart.Namespace}-{Chart.FullName}-sessions");

        Assert.Equal("sjns-data-staging", (string)policy["metadata"]!["namespace"]!);
        Assert.Equal("""{"matchLabels":{"spark-gateway/kind":"session"},"matchExpressions":[{"key":"spark-role","operator":"In","values":["driver","connect-server"]}]}""", policy["spec"]!["podSelector"]!.ToJsonString());
        var (gateway, executors) = (policy["spec"]!["ingress"]![0]!, policy["spec"]!["ingress"]![1]!);
        var from = Assert.Single(gateway["from"]!.AsArray())!;
        Assert.Equal(Chart.Namespace, (string)from["namespaceSelector"]!["matchLabels"]!["kubernetes.io/metadata.name"]!);
        Assert.Equal(Chart.Release, (string)from["podSelector"]!["matchLabels"]!["app.kubernetes.io/instance"]!);
        Assert.Equal([15002L], Ports(gateway));
        Assert.Equal("executor", (string)Assert.Single(executors["from"]!.AsArray())!["podSelector"]!["matchLabels"]!["spark-role"]!);
        Assert.Equal([7078L, 7079L], Ports(executors));
    }

    [Fact]
    public async Task NetworkPolicy_OfTheGateway_LeadsToDriversOfTheListedNamespacesOnly()
    {
        var egress = (await Chart.RenderAsync("everything")).One("NetworkPolicy")["spec"]!["egress"]!.AsArray();
        var drivers = Assert.Single(egress, rule => Ports(rule!).Contains(15002L))!;

        Assert.Equal([15002L, 15010L], Ports(drivers));
        var to = Assert.Single(drivers["to"]!.AsArray())!;
        Assert.Equal(["sjns-data-staging", "sjns-ml-prod"], Manifests.Texts(to["namespaceSelector"]!["matchExpressions"]![0]!["values"]));
        Assert.Equal(["driver", "connect-server"], Manifests.Texts(to["podSelector"]!["matchExpressions"]![0]!["values"]));
        Assert.Equal([53L, 53, 443, 6443, 5432, 15002, 15010, 8200], egress.SelectMany(rule => Ports(rule!)));
    }

    private static IEnumerable<long> Ports(JsonNode rule) => rule["ports"]!.AsArray().Select(port => (long)port!["port"]!);

    private static string Checksum(Manifests rendered) => (string)rendered.Pod["metadata"]!["annotations"]!["checksum/config"]!;

    /// <summary>A misspelt key is refused wherever the chart knows all keys.</summary>
    private static void AssertStrict(JsonNode schema, string path)
    {
        if (schema["properties"] is not JsonObject properties || path.StartsWith("/config", StringComparison.Ordinal)) return;
        Assert.False((bool?)schema["additionalProperties"] ?? true, $"{path} of values.schema.json lets unknown keys pass");
        foreach (var (key, below) in properties) AssertStrict(below!, $"{path}/{key}");
    }

    [GeneratedRegex("^([a-zA-Z]+):", RegexOptions.CultureInvariant)]
    private static partial Regex TopKey();

    [GeneratedRegex("/etc/spark-gateway/[^ \"\n]+", RegexOptions.CultureInvariant)]
    private static partial Regex ConfigPath();
}
