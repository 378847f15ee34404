using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Options;

public sealed class ProblemTests : IDisposable
{
    private readonly ConfigFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Each case is the body of config:, which begins at line 2; "!" stands for the line that the problem must name.</summary>
    public static TheoryData<string, string, string> Cases => new()
    {
        // Unknown keys.
        { "spark_connect:\n  !prot: 1", "spark_connect.prot", "the nearest known key is spark_connect.port." },
        { "spark_connect:\n  port: 1\n  !max_sessions: 1", "spark_connect.max_sessions", "the nearest known key is spark_connect.on_demand.max_sessions." },
        { "!sparkConnect: {port: 1}", "sparkConnect", "the nearest known key is spark_connect" },
        { "spark_connect:\n  attached:\n  - name: a\n    namespace: b\n    address: h:1\n    !adress: h:1", "spark_connect.attached[0].adress", "the nearest known key is address." },
        { "spark_connect:\n  port: 1\n  !port: 2", "config.spark_connect.port", "written twice" },
        // Types.
        { "spark_connect:\n  !port: abc", "spark_connect.port", "'abc' is not allowed; allowed: 1 to 65535." },
        { "spark_connect:\n  !port: 1.5", "spark_connect.port", "'1.5' is not allowed" },
        { "spark_connect:\n  !port:", "spark_connect.port", "'' is not allowed" },
        { "spark_connect:\n  !port: [1]", "spark_connect.port", "a list stands where one value belongs" },
        { "spark_connect:\n  !enabled: yes", "spark_connect.enabled", "'yes' is not allowed; allowed: true or false." },
        { "spark_connect:\n  !max_ttl_hours: soon", "spark_connect.max_ttl_hours", "'soon' is not allowed" },
        { "spark_connect:\n  !headers: [a]", "spark_connect.headers", "this is a section; allowed are its keys: session_name" },
        { "spark_connect:\n  !attached: {}", "spark_connect.attached", "this is a list" },
        { "spark_connect:\n  !authorities: []", "spark_connect.authorities", "this is a map" },
        // Ranges and forms.
        { "spark_connect:\n  !port: 0", "spark_connect.port", "allowed: 1 to 65535." },
        { "spark_connect:\n  !port: 65536", "spark_connect.port", "allowed: 1 to 65535." },
        { "spark_connect:\n  !idle_timeout_minutes: 0", "spark_connect.idle_timeout_minutes", "more than 0" },
        { "spark_connect:\n  !bind: localhost", "spark_connect.bind", "an IP address" },
        { "spark_connect:\n  !bind: \"127.1\"", "spark_connect.bind", "an IP address" },
        { "spark_connect:\n  !default_namespace_pattern: \"{tea}\"", "spark_connect.default_namespace_pattern", "placeholders" },
        { "spark_connect:\n  headers:\n    team:\n    - x-a\n    !- X-Team", "spark_connect.headers.team[1]", "a header name in lower case" },
        { "spark_connect:\n  headers:\n    !team: [grpc-timeout]", "spark_connect.headers.team[0]", "not one of gRPC's own" },
        { "spark_connect:\n  headers:\n    !config_prefix: spark", "spark_connect.headers.config_prefix", "ends in '.'" },
        { "spark_connect:\n  on_demand:\n    !default_team: Team_A", "spark_connect.on_demand.default_team", "1 to 63 lower-case letters" },
        { "spark_connect:\n  on_demand:\n    !driver_memory: 4 gigs", "spark_connect.on_demand.driver_memory", "512m or 4g" },
        { "spark_connect:\n  on_demand:\n    !driver_cores: many", "spark_connect.on_demand.driver_cores", "1 to 1024" },
        { "spark_connect:\n  on_demand:\n    !spark_version: four", "spark_connect.on_demand.spark_version", "4.1.0" },
        { "local:\n  !engine: flink", "local.engine", "'flink' is not allowed; allowed: spark or sail." },
        { "local:\n  !port_range: 30000-20000", "local.port_range", "FIRST not above LAST" },
        { "local:\n  !port_range: 80-90", "local.port_range", "FIRST-LAST" },
        { "store:\n  !kind: mysql", "store.kind", "allowed: sqlite or postgres." },
        { "log:\n  !level: loud", "log.level", "trace, debug, info, warning or error" },
        { "!cluster_proxy_url: ftp://x", "cluster_proxy_url", "http or https" },
        { "!state_dir: \"\"", "state_dir", "not empty" },
        // Across keys.
        { "admin:\n  !port: 15002", "admin.port", "port 15002 is also spark_connect.port" },
        { "health:\n  !port: 8080", "health.port", "port 8080 is also admin.port" },
        { "spark_connect:\n  on_demand:\n    !default_team: a", "spark_connect.on_demand.default_team", "needs a default environment" },
        { "spark_connect:\n  on_demand:\n    !default_environment: a", "spark_connect.on_demand.default_environment", "needs a default team" },
        { "spark_connect:\n  on_demand:\n    default_environment: e\n    !default_team: a", "spark_connect.on_demand.default_team", "is not in spark_connect.on_demand.teams" },
        { "spark_connect:\n  on_demand:\n    any_team: true\n    !teams: [{team: a, environment: b}]", "spark_connect.on_demand.teams", "restrict nobody" },
        { "spark_connect:\n  on_demand:\n    teams:\n    - team: a\n      environment: b\n    !- team: a\n      environment: b", "spark_connect.on_demand.teams[1]", "listed twice" },
        { "spark_connect:\n  on_demand:\n    teams:\n    !- team: a", "spark_connect.on_demand.teams[0]", "needs both team and environment" },
        { "spark_connect:\n  authorities:\n    !gw:1: {team: a, environment: b}", "spark_connect.authorities[gw:1]", "is not in spark_connect.on_demand.teams" },
        { "spark_connect:\n  on_demand:\n    !max_per_user: 101", "spark_connect.on_demand.max_per_user", "more than spark_connect.on_demand.max_sessions" },
        { "spark_connect:\n  on_demand:\n    spark_conf:\n      !sql.x: 1", "spark_connect.on_demand.spark_conf[sql.x]", "begin with 'spark.'" },
        { "spark_connect:\n  on_demand:\n    spark_conf:\n      !spark.connect.authenticate.token: x", "spark_connect.on_demand.spark_conf[spark.connect.authenticate.token]", "sets this for each driver itself" },
        { "spark_connect:\n  headers:\n    !namespace: [x-spark-session-id]", "spark_connect.headers.namespace[0]", "already listed in spark_connect.headers.session_name" },
        { "spark_connect:\n  headers:\n    !team: []", "spark_connect.headers.team", "the list is empty" },
        { "relay:\n  !parked_bytes_per_connection: 300000000", "relay.parked_bytes_per_connection", "more than relay.parked_bytes_total" },
        { "store:\n  !lock_timeout_seconds: 11", "store.lock_timeout_seconds", "more than store.statement_timeout_seconds" },
        { "local:\n  !port_range: 20000-20001", "local.port_range", "2 ports for 8 drivers" },
        { "store:\n  !connection_string_file: x", "store.connection_string_file", "store.kind is sqlite" },
        { "identity:\n  !header: x-user", "identity.header", "list the proxies" },
        { "identity:\n  !header: Authorization", "identity.header", "a header name in lower case" },
        { "identity:\n  trusted_peers: [10.0.0.0/8]\n  !header: x-spark-team", "identity.header", "already listed in spark_connect.headers.team" },
        { "identity:\n  !trusted_peers: [10.0.0.0/8]", "identity.trusted_peers", "name it in identity.header" },
        { "identity:\n  header: x-user\n  trusted_peers:\n  - 10.0.0.1\n  !- 10.0.0.0/33", "identity.trusted_peers[1]", "a range of them" },
        { "identity:\n  !enforce: true", "identity.enforce", "set identity.header and identity.trusted_peers too" },
        { "relay:\n  !parked_bytes_per_connection: 65535\nidentity:\n  header: x-user\n  trusted_peers: [10.0.0.1]\n  enforce: true", "relay.parked_bytes_per_connection", "at least 65536" },
        // Attached sessions.
        { "spark_connect:\n  attached:\n  - name: A\n    namespace: b\n    address: h:1", "spark_connect.attached[0].name", "1 to 253 lower-case letters" },
        { "spark_connect:\n  attached:\n  - name: a\n    namespace: b\n    !address: h", "spark_connect.attached[0].address", "host:port" },
        { "spark_connect:\n  attached:\n  - name: a\n    namespace: b\n    !address: h:99999", "spark_connect.attached[0].address", "host:port" },
        { "spark_connect:\n  attached:\n  !- name: a\n    address: h:1", "spark_connect.attached[0].namespace", "is missing" },
        { "spark_connect:\n  attached:\n  - {name: a, namespace: b, address: 'h:1'}\n  !- {name: a, namespace: b, address: 'h:2'}", "spark_connect.attached[1].name", "already spark_connect.attached[0]" },
        { "spark_connect:\n  attached:\n  - name: a\n    namespace: b\n    address: h:1\n    !token_file: none", "spark_connect.attached[0].token_file", "does not exist" },
        // Files.
        { "spark_connect:\n  tls:\n    !cert_file: none.pem", "spark_connect.tls.cert_file", "set spark_connect.tls.key_file too" },
        { "spark_connect:\n  tls:\n    !key_file: none.pem", "spark_connect.tls.key_file", "'none.pem': the file does not exist" },
        { "!driver_token_key_file: none", "driver_token_key_file", "does not exist" },
        { "spark_connect:\n  !token_file: none", "spark_connect.token_file", "'none': the file does not exist" },
        { "store:\n  kind: postgres\n  !connection_string_file: none", "store.connection_string_file", "does not exist" },
        { "local:\n  !spark_home: none", "local.spark_home", "does not exist" },
        // Protection that nothing enforces.
        { "admin:\n  !token_file: none", "admin.token_file", "does not exist" },
        { "batch:\n  !enabled: true", "batch.enabled", "not supported by this version" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_WrongKeyOrValue_NamesFileLineKeyAndRule(string body, string key, string text)
    {
        var marked = "config:\n" + string.Join('\n', body.Split('\n').Select(line => "  " + line)) + "\n";
        var before = marked.IndexOf('!', StringComparison.Ordinal);
        var line = before < 0 ? 4 : marked[..before].Count(c => c == '\n') + 1;

        var config = folder.Load(marked.Replace("!", "", StringComparison.Ordinal));

        var problem = Assert.Single(config.Problems, problem => problem.Key == key && problem.Text.Contains(text, StringComparison.Ordinal));
        Assert.Equal($"{folder.Root}/test.yml:{line}", problem.Where.ToString());
    }

    [Fact]
    public void Load_ManyProblems_ReportsAllAtOnce()
    {
        var config = ConfigFolder.Load(
            [folder.Write("a.yml", "config:\n  spark_connect: {port: x}\n  nothing: 1\nextra: 1\n"), Path.Combine(folder.Root, "none.yml")],
            [("SPARK_GATEWAY_LOCAL__ENGIN", "spark"), ("SPARK_GATEWAY_HEALTH__PORT", "-1")],
            "admin.port=99999", "nonsense", "local.engine=x");

        Assert.Equal(
            [
                $"{folder.Root}/a.yml:2: spark_connect.port",
                $"{folder.Root}/a.yml:3: nothing",
                $"{folder.Root}/a.yml:4: extra",
                $"{folder.Root}/none.yml: ",
                "environment variable SPARK_GATEWAY_HEALTH__PORT: health.port",
                "environment variable SPARK_GATEWAY_LOCAL__ENGIN: local.engin",
                "--set: admin.port",
                "--set: nonsense",
                "--set: local.engine",
            ],
            config.Problems.Select(problem => $"{problem.Where}: {problem.Key}"));
        Assert.DoesNotContain(config.Problems, problem => problem.ToString().Contains('\n', StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("config:\n  a: [1\n", 3, "not valid YAML")]
    [InlineData("config:\n\tport: 1\n", 2, "not valid YAML")]
    [InlineData("spark_connect: {}\n", 1, "all keys stand under 'config:'")]
    [InlineData("config:\n  a: {b\n  c: 1\n", 2, "not valid YAML")]
    [InlineData("- a\n", 1, "must be a map")]
    [InlineData("config:\n  log: &x {}\n  relay: *x\n", 3, "anchors and aliases are not supported")]
    [InlineData("config: {}\n---\nconfig: {}\n", 2, "second YAML document")]
    [InlineData("config: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n", 1, "nested deeper")]
    public void Load_NoUsableYaml_NamesTheLine(string yaml, int line, string text)
    {
        var problem = Assert.Single(folder.Load(yaml).Problems);

        Assert.Contains(text, problem.Text, StringComparison.Ordinal);
        Assert.Equal(line, problem.Where.Line);
    }

    [Fact]
    public void Load_FolderAsFile_IsOneSentence() =>
        Assert.Contains("this is a folder", Assert.Single(ConfigFolder.Load([folder.Root]).Problems).Text, StringComparison.Ordinal);

    [Fact]
    public void Load_EnvironmentIntoAMap_IsRefusedBecauseNamesLostTheirCase() =>
        Assert.Contains("unknown key", Assert.Single(ConfigFolder.Load([], [("SPARK_GATEWAY_SPARK_CONNECT__ON_DEMAND__SPARK_CONF__X", "1")]).Problems).Text, StringComparison.Ordinal);

    [Fact]
    public void Load_BadSecret_IsNotShown()
    {
        var config = ConfigFolder.Load([], null, "spark_connect.on_demand.spark_conf={spark.password: [hush]}", "vault_address=ftp://jo:hush@host");

        Assert.Equal(2, config.Problems.Count);
        Assert.DoesNotContain(config.Problems, problem => problem.ToString().Contains("hush", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_TlsPairThatDoesNotBelongTogether_IsAProblem()
    {
        var cert = folder.Write("cert.pem", "no certificate");
        var key = folder.Write("key.pem", "no key");

        var problem = Assert.Single(ConfigFolder.Load([], null, $"spark_connect.tls={{cert_file: {cert}, key_file: {key}}}").Problems);

        Assert.Equal("spark_connect.tls.cert_file", problem.Key);
        Assert.Contains("are not a PEM certificate", problem.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TlsPair_IsAcceptedAndAForeignKeyIsNot()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=gateway", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        var cert = folder.Write("cert.pem", certificate.ExportCertificatePem());

        var good = ConfigFolder.Load([], null, $"spark_connect.tls={{cert_file: {cert}, key_file: {folder.Write("key.pem", key.ExportPkcs8PrivateKeyPem())}}}");
        var bad = ConfigFolder.Load([], null, $"spark_connect.tls={{cert_file: {cert}, key_file: {folder.Write("other.pem", otherKey.ExportPkcs8PrivateKeyPem())}}}");

        Assert.Empty(good.Problems);
        Assert.Equal("spark_connect.tls.cert_file", Assert.Single(bad.Problems).Key);
    }

    [Theory]
    [InlineData("store.dead_after_seconds=29", "store.dead_after_seconds")]
    [InlineData("store.activity_seconds=301", "store.activity_seconds")]
    public void Load_LimitThatWouldEndWhatLives_IsAProblem(string set, string key) =>
        Assert.Equal(key, Assert.Single(ConfigFolder.Load([], null, set).Problems).Key);

    [Fact]
    public void Load_TeamWithLimitsOfItsOwn_HasThem()
    {
        var config = ConfigFolder.Load([], null, "spark_connect.on_demand.teams=[{team: ml, environment: prod, idle_timeout_minutes: 0.5}, {team: data, environment: dev}]");

        Assert.Empty(config.Problems);
        Assert.Equal([(0.5m, 0m), (0m, 0m)], config.Options.SparkConnect.OnDemand.Teams.Select(team => (team.IdleTimeoutMinutes, team.MaxTtlHours)));
    }

    [Fact]
    public void Load_NobodyMayOpenSessions_Warns() =>
        Assert.Contains(ConfigFolder.Load([]).Warnings, warning => warning.Key == "spark_connect.on_demand.teams");

    [Theory]
    [InlineData("[]", true)]
    [InlineData("[10.0.0.0/8]", false)]
    public void Load_CapOfAnAddressWithoutProxies_Warns(string proxies, bool warns) => Assert.Equal(
        warns,
        ConfigFolder.Load([], null, "relay.max_connections_per_address=100", $"spark_connect.trusted_proxies={proxies}").Warnings.Any(warning => warning.Key == "relay.max_connections_per_address"));
}
