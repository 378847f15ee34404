using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Options;

public sealed class LayerTests : IDisposable
{
    private readonly ConfigFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Load_NoLayers_GivesDefaultsWithoutProblem()
    {
        var config = ConfigFolder.Load([]);

        Assert.Empty(config.Problems);
        Assert.Equal(15002, config.Options.SparkConnect.Port);
        Assert.Equal("default", config.OriginOf("spark_connect.port").ToString());
    }

    [Fact]
    public void Load_EachLayer_WinsOverTheOnesBefore()
    {
        var first = folder.Write("first.yml", "config:\n  spark_connect:\n    port: 1001\n    drain_seconds: 1\n    start_limit_seconds: 1\n  admin:\n    port: 1002\n");
        var second = folder.Write("second.yml", "config:\n  spark_connect:\n    drain_seconds: 2\n    start_limit_seconds: 2\n    release_linger_seconds: 2\n");
        (string, string)[] environment = [("SPARK_GATEWAY_SPARK_CONNECT__START_LIMIT_SECONDS", "3"), ("SPARK_GATEWAY_SPARK_CONNECT__RELEASE_LINGER_SECONDS", "3")];

        var config = ConfigFolder.Load([first, second], environment, "spark_connect.release_linger_seconds=4", "spark_connect.release_linger_seconds=5");

        Assert.Empty(config.Problems);
        var options = config.Options.SparkConnect;
        Assert.Equal((1001, 2, 3, 5), (options.Port, options.DrainSeconds, options.StartLimitSeconds, options.ReleaseLingerSeconds));
        Assert.Equal($"{first}:3", config.OriginOf("spark_connect.port").ToString());
        Assert.Equal($"{second}:3", config.OriginOf("spark_connect.drain_seconds").ToString());
        Assert.Equal("environment variable SPARK_GATEWAY_SPARK_CONNECT__START_LIMIT_SECONDS", config.OriginOf("spark_connect.start_limit_seconds").ToString());
        Assert.Equal("--set", config.OriginOf("spark_connect.release_linger_seconds").ToString());
        Assert.Equal($"{first}:7", config.OriginOf("admin.port").ToString());
    }

    [Fact]
    public void Load_EveryKindOfValue_IsBound()
    {
        var config = folder.Load("""
            config:
              spark_connect:
                idle_timeout_minutes: 0.05
                attached:
                  - name: a
                    namespace: ns
                    address: host:15002
                  - {name: b, namespace: ns, address: "[::1]:15002"}
                authorities:
                  gw.example:15002: {team: data, environment: staging}
                headers:
                  team: [x-team]
                on_demand:
                  share_connection: true
                  driver_cores: 3
                  teams:
                  - team: data
                    environment: staging
                  spark_conf: {spark.a: "1", spark.b: x}
            """);

        Assert.Empty(config.Problems);
        var options = config.Options.SparkConnect;
        Assert.Equal(0.05m, options.IdleTimeoutMinutes);
        Assert.Equal(["ns/a@host:15002", "ns/b@[::1]:15002"], options.Attached.Select(item => $"{item.Namespace}/{item.Name}@{item.Address}"));
        Assert.Equal("staging", options.Authorities["gw.example:15002"].Environment);
        Assert.Equal(["x-team"], options.Headers.Team);
        Assert.True(options.OnDemand.ShareConnection);
        Assert.Equal("3", options.OnDemand.DriverCores);
        Assert.Equal("data", Assert.Single(options.OnDemand.Teams).Team);
        Assert.Equal("x", options.OnDemand.SparkConf["spark.b"]);
    }

    [Fact]
    public void Load_ListsAndMapsByArgument_AreYaml()
    {
        var config = ConfigFolder.Load(
            [],
            [("SPARK_GATEWAY_SPARK_CONNECT__HEADERS__TEAM", "[x-a, x-b]")],
            "spark_connect.attached=[{name: a, namespace: b, address: 'h:1'}]",
            "spark_connect.on_demand.spark_conf.spark.executor.memory=2g",
            "spark_connect.on_demand.spark_conf={spark.ui.enabled: 'false'}");

        Assert.Empty(config.Problems);
        Assert.Equal(["x-a", "x-b"], config.Options.SparkConnect.Headers.Team);
        Assert.Equal("h:1", Assert.Single(config.Options.SparkConnect.Attached).Address);
        Assert.Equal("2g", config.Options.SparkConnect.OnDemand.SparkConf["spark.executor.memory"]);
        Assert.Equal("false", config.Options.SparkConnect.OnDemand.SparkConf["spark.ui.enabled"]);
    }

    [Fact]
    public void Load_LaterList_ReplacesTheEarlierOne()
    {
        var first = folder.Write("first.yml", "config:\n  spark_connect:\n    attached:\n    - {name: a, namespace: n, address: 'h:1'}\n    - {name: b, namespace: n, address: 'h:2'}\n");
        var second = folder.Write("second.yml", "config:\n  spark_connect:\n    attached:\n    - {name: c, namespace: n, address: 'h:3'}\n");

        var config = ConfigFolder.Load([first, second]);

        Assert.Equal("c", Assert.Single(config.Options.SparkConnect.Attached).Name);
        Assert.Equal("default", config.OriginOf("spark_connect.attached[1].name").ToString());
    }

    [Fact]
    public void Load_OriginalDesignsKeys_AreReadAsWritten()
    {
        var config = folder.Load("""
            config:
              # Existing batch config
              cluster_proxy_url: "https://proxy.example.com"
              vault_address: ""
              vault_approle_file_path: "secrets/approle.json"
              vault_mount_path: "secret"
              vault_token_secret_path: "spark-gateway/cluster-proxy-service/token"

              # New Spark Connect config
              spark_connect:
                enabled: true
                port: 15002
                idle_timeout_minutes: 30
                max_ttl_hours: 4
                default_namespace_pattern: "sjns-{team}-{environment}"

                # On-demand session defaults
                on_demand:
                  enabled: true
                  spark_version: "4.1.0"
                  driver_cores: "2"
                  driver_memory: "4g"
                  executor_instances: 2
                  executor_cores: "2"
                  executor_memory: "4g"
            """);

        Assert.Empty(config.Problems);
        Assert.Equal("https://proxy.example.com", config.Options.ClusterProxyUrl);
        Assert.Contains(config.Warnings, warning => warning.Key == "cluster_proxy_url" && warning.Text.Contains("no effect", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("SPARK_GATEWAY_DEBUG", "1")]
    [InlineData("SPARK_GATEWAY_TEST_POSTGRES", "Host=x")]
    [InlineData("SPARK_GATEWAY_SERVICE_HOST", "10.0.0.1")]
    [InlineData("SPARK_GATEWAY_SERVICE_PORT_GRPC", "15002")]
    [InlineData("SPARK_GATEWAY_PORT", "tcp://10.0.0.1:15002")]
    [InlineData("SPARK_GATEWAY_PORT_15002_TCP_ADDR", "10.0.0.1")]
    [InlineData("SPARK_GATEWAY_ADMIN_SERVICE_HOST", "10.0.0.1")]
    [InlineData("SPARK_GATEWAY_ADMIN_PORT_8080_TCP", "tcp://10.0.0.1:8080")]
    [InlineData("PATH", "x")]
    public void Load_ForeignEnvironment_IsNoConfiguration(string name, string value) =>
        Assert.Empty(ConfigFolder.Load([], [(name, value)]).Problems);

    [Theory]
    [InlineData("")]
    [InlineData("# only a comment\n")]
    [InlineData("config:\n")]
    [InlineData("config:\n  spark_connect:\n    # nothing yet\n")]
    public void Load_EmptyFile_ChangesNothing(string yaml) => Assert.Empty(folder.Load(yaml).Problems);

    [Fact]
    public void Print_ReadAgain_GivesTheSameConfiguration()
    {
        var config = folder.Load("""
            config:
              spark_connect:
                idle_timeout_minutes: 0.05
                attached:
                - {name: a, namespace: n, address: 'h:1'}
                authorities: {"gw:15002": {team: t, environment: e}}
                on_demand:
                  any_team: true
                  spark_conf: {spark.odd: "a: \"b\" # c \\ \t true", spark.flag: "true"}
            """);
        var printed = config.ToYaml();
        var again = ConfigFolder.Load([folder.Write("again.yml", printed)]);

        Assert.Empty(again.Problems);
        Assert.Equal(ConfigPrinter.PrintWithout("", config.Options), ConfigPrinter.PrintWithout("", again.Options));
        Assert.Contains($"    idle_timeout_minutes: 0.05  # {folder.Root}/test.yml:3\n", printed, StringComparison.Ordinal);
        Assert.Contains("    port: 15002  # default\n", printed, StringComparison.Ordinal);
    }

    [Fact]
    public void Print_ValuesThatCouldBeSecret_AreMasked()
    {
        var config = ConfigFolder.Load(
            [],
            null,
            "spark_connect.on_demand.spark_conf.spark.hadoop.fs.s3a.secret.key=hush",
            "spark_connect.on_demand.spark_conf.spark.db.password=hush",
            "cluster_proxy_url=https://jo:hush@proxy.example.com",
            "vault_token_secret_path=shown/path");

        var printed = config.ToYaml();

        Assert.DoesNotContain("hush", printed, StringComparison.Ordinal);
        Assert.Contains("https://***@proxy.example.com", printed, StringComparison.Ordinal);
        Assert.Contains("shown/path", printed, StringComparison.Ordinal);
    }
}
