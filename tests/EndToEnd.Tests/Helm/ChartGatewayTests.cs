using System.Net;
using Npgsql;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Helm;

/// <summary>What the chart renders, under the real program: the configuration, both containers, and the rights on a real API server.</summary>
[Collection(nameof(ChartPlane))]
public sealed class ChartGatewayTests(ChartPlane planes)
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    public static TheoryData<string> ValueSets => Chart.ValueSets;

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Configuration_OfEachSet_PassesTheCheck(string set)
    {
        string[] more = ["config.kubernetes.profiles.default.image=spark-session:4.1.0", "config.spark_connect.on_demand.teams[0].team=data", "config.spark_connect.on_demand.teams[0].environment=staging"];
        using var gateway = new RenderedGateway(await Chart.RenderAsync(set, more));
        await using var check = gateway.Start("gateway", verb: "check-config");

        var exit = await check.ExitAsync(StartLimit);

        Assert.True(exit == 0, check.Output);
        Assert.Contains("platform: kubernetes", check.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("# warning", check.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_OfAProfileThatNoOperatorRuns_IsRefusedByTheCheck()
    {
        using var gateway = new RenderedGateway(await Chart.RenderAsync("postgresql", "config.kubernetes.profiles.default.main_class=org.apache.spark.sql.connect.service.SparkConnectServer"));
        await using var check = gateway.Start("gateway", verb: "check-config");

        Assert.Equal(2, await check.ExitAsync(StartLimit));
        Assert.Contains("refuses Spark's own server class", check.Output, StringComparison.Ordinal);
    }

    /// <summary>The values file that docs/kubernetes.md has people write for a first try, taken from there.</summary>
    [Fact]
    public async Task Configuration_OfTheFirstNotebook_PassesTheCheck()
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Sources.Root, "docs", "kubernetes.md"));
        var values = lines.SkipWhile(line => !line.Contains("cat > first.yaml", StringComparison.Ordinal)).Skip(1).TakeWhile(line => line.Trim() != "EOF");
        using var file = new TempFile(string.Join('\n', values.Select(line => line["       ".Length..])) + "\n");
        var rendered = await Chart.HelmAsync(["template", "spark-gateway", Chart.Folder, "-f", Path.Combine(Chart.Folder, "values-embedded.yaml"), "-f", file.Path]);
        using var gateway = new RenderedGateway(new Manifests(rendered.Good(), "spark-gateway"));
        await using var check = gateway.Start("gateway", verb: "check-config");

        var exit = await check.ExitAsync(StartLimit);

        Assert.True(exit == 0, check.Output);
        Assert.DoesNotContain("# warning", check.Output, StringComparison.Ordinal);
    }

    /// <summary>The init container as the owner of the tables, then the gateway as spark_gateway_app, with the token of the release's account.</summary>
    [Fact]
    public async Task Containers_OfARelease_MigrateAndServeWithItsRightsAndNotWithout()
    {
        const string space = "served";
        var plane = await planes.PlaneAsync();
        await using var database = await PostgresServer.NewDatabaseAsync();
        var (port, health, admin) = (Ports.Free(), Ports.Free(), Ports.Free());
        string[] values = [.. Chart.Values("postgresql", "postgresql.ownerSecret=owner", $"config.spark_connect.port={port}", $"config.health.port={health}")];
        string[] here = ["--namespace", space, "--kubeconfig", plane.AdminKubeconfig];
        (await Chart.HelmAsync(["install", Chart.Release, Chart.Folder, "--create-namespace", .. here, .. values])).Good();
        var login = await LoginAsync(database.ConnectionString);
        using var gateway = new RenderedGateway(
            new Manifests((await Chart.HelmAsync(["get", "manifest", Chart.Release, .. here])).Good()), (database.ConnectionString, login.ConnectionString));

        await using (var migration = gateway.Start("migrate")) Assert.True(await migration.ExitAsync(StartLimit) == 0, migration.Output);
        await ExecuteAsync(database.ConnectionString, $"GRANT spark_gateway_app TO {login.Username}");
        (string, string?)[] environment =
        [
            ("SPARK_GATEWAY_KUBERNETES__KUBECONFIG", await KubeconfigAsync(plane, space)), ("SPARK_GATEWAY_ADMIN__PORT", $"{admin}"), ("SPARK_GATEWAY_SPARK_CONNECT__BIND", "127.0.0.1"),
        ];

        await using (var serve = gateway.Start("gateway", environment: environment))
        {
            await serve.LineAsync("its ready line", line => line.StartsWith("SparkSession.builder.remote(", StringComparison.Ordinal), StartLimit);
            await ReadyAsync(serve, health, HttpStatusCode.OK);
            Assert.DoesNotContain("A right on the cluster is missing", serve.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("can be read by every user", serve.Output, StringComparison.Ordinal);
            serve.Signal("TERM");
            Assert.Equal(0, await serve.ExitAsync(StartLimit));
        }

        await plane.KubectlAsync("", "-n", "sjns-data-staging", "delete", "rolebinding", $"{space}-{Chart.FullName}");
        await using (var refused = gateway.Start("gateway", environment: environment))
        {
            await refused.LineAsync("the missing right", line => line.Contains("A right on the cluster is missing", StringComparison.Ordinal) && line.Contains("may not create secrets", StringComparison.Ordinal), StartLimit);
            await ReadyAsync(refused, health, HttpStatusCode.ServiceUnavailable);
        }

        (await Chart.HelmAsync(["uninstall", Chart.Release, .. here])).Good();
        await ExecuteAsync(database.ConnectionString, $"REASSIGN OWNED BY {login.Username} TO CURRENT_USER; DROP OWNED BY {login.Username}; DROP ROLE {login.Username}");
    }

    private static async Task ReadyAsync(OwnedProcess gateway, int port, HttpStatusCode status)
    {
        using var client = new HttpClient();
        await Deadlines.UntilAsync($"/readyz with {status}", async () =>
        {
            if (gateway.HasExited) throw new InvalidOperationException($"The gateway ended:\n{gateway.Output}");
            try
            {
                using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"));
                return answer.StatusCode == status;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
                return false;
            }
        }, StartLimit);
    }

    /// <summary>A kubeconfig with a token of the release's service account, beside those of the plane.</summary>
    private static async Task<string> KubeconfigAsync(KubePlane plane, string space)
    {
        var token = await plane.KubectlAsync("", "-n", space, "create", "token", Chart.FullName);
        var file = Path.Combine(plane.StateDir, $"{space}.kubeconfig");
        await File.WriteAllTextAsync(
            file,
            $$"""
            {"apiVersion": "v1", "kind": "Config", "current-context": "here",
             "clusters": [{"name": "here", "cluster": {"server": "{{plane.ApiServer.GetLeftPart(UriPartial.Authority)}}", "certificate-authority": "{{plane.CaFile}}"} }],
             "users": [{"name": "here", "user": {"token": "{{token.Trim()}}"} }],
             "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"} }]}
            """);
        return file;
    }

    /// <summary>A user that owns nothing.</summary>
    private static async Task<NpgsqlConnectionStringBuilder> LoginAsync(string owner)
    {
        var name = $"gateway_{Guid.NewGuid():N}";
        await ExecuteAsync(owner, $"CREATE ROLE {name} LOGIN");
        return new NpgsqlConnectionStringBuilder(owner) { Username = name };
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private sealed class TempFile : IDisposable
    {
        public TempFile(string text) => File.WriteAllText(Path, text);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
