using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Options;

/// <summary>What contradicts itself in how the cluster is reached, and which namespaces a team may need.</summary>
public sealed class KubernetesRulesTests : IDisposable
{
    private const string Proxy = "cluster_proxy_url: https://proxy/clusters/blue\n";
    private const string Platform = "platform: kubernetes\n";
    private const string Team = "spark_connect:\n  on_demand:\n    teams:\n    - {team: a, environment: b}\n";

    private readonly ConfigFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Each case is the body of config:, with "!" at the line that the problem must name; FILE is one that can be read.</summary>
    public static TheoryData<string, string, string> Refused => new()
    {
        { "kubernetes:\n  call_limit_seconds: 60\n  !request_timeout_seconds: 61", "kubernetes.request_timeout_seconds", "61 is more than kubernetes.call_limit_seconds, which is 60: one try cannot take longer than all; lower the one or raise the other." },
        { "kubernetes:\n  !request_timeout_seconds: 61", "kubernetes.request_timeout_seconds", "61 is more than kubernetes.call_limit_seconds, which is 60" },
        { "kubernetes:\n  backoff_max_seconds: 1\n  !backoff_milliseconds: 1001", "kubernetes.backoff_milliseconds", "1001 is more than kubernetes.backoff_max_seconds, which is 1; lower the one or raise the other." },
        { "kubernetes:\n  !kubeconfig: /nonexistent/config", "kubernetes.kubeconfig", "'/nonexistent/config': the file does not exist" },
        { Proxy + "kubernetes:\n  !proxy_token_file: /nonexistent/token", "kubernetes.proxy_token_file", "'/nonexistent/token': the file does not exist" },
        { Proxy + "kubernetes:\n  proxy_token_file: FILE\n  !proxy_ca_file: /tmp", "kubernetes.proxy_ca_file", "'/tmp': this is a folder; name a file." },
        { Platform + "kubernetes:\n  namespaces: [sjns-a-c]\n" + Team.Replace("    - {", "    !- {", StringComparison.Ordinal), "spark_connect.on_demand.teams[0]", "its namespace sjns-a-b is none of kubernetes.namespaces; add it there, or empty that list." },
        { Platform + "kubernetes:\n  namespaces: [sjns-a-b]\nspark_connect:\n  on_demand:\n    teams:\n    - {team: a, environment: b}\n    !- {team: a, environment: c}", "spark_connect.on_demand.teams[1]", "its namespace sjns-a-c is none of" },
        { Platform + "kubernetes:\n  namespaces: [sjns-a-b]\nspark_connect:\n  default_namespace_pattern: team-{team}\n  on_demand:\n    teams:\n    !- {team: a, environment: b}", "spark_connect.on_demand.teams[0]", "its namespace team-a is none of" },
    };

    public static TheoryData<string, string, string> WarnedOf => new()
    {
        { "kubernetes:\n  !proxy_token_file: FILE", "kubernetes.proxy_token_file", "has no effect while cluster_proxy_url is empty." },
        { "kubernetes:\n  !proxy_ca_file: FILE", "kubernetes.proxy_ca_file", "has no effect while cluster_proxy_url is empty." },
        { "!" + Proxy, "cluster_proxy_url", "has no effect while platform is local." },
        { Platform + Proxy + "kubernetes:\n  !kubeconfig: FILE", "kubernetes.kubeconfig", "has no effect while cluster_proxy_url is set." },
        { Platform + "!cluster_proxy_url: HTTP://proxy\nkubernetes:\n  proxy_token_file: FILE", "cluster_proxy_url", "crosses the network in the clear; use https." },
    };

    /// <summary>Bodies of config: that none of these rules minds, and the keys that they might.</summary>
    public static TheoryData<string, string> Fine => new()
    {
        { "kubernetes:\n  request_timeout_seconds: 60\n  call_limit_seconds: 60", "kubernetes." },
        { "kubernetes:\n  backoff_milliseconds: 1000\n  backoff_max_seconds: 1", "kubernetes." },
        { "kubernetes:\n  kubeconfig: FILE", "kubernetes." },
        { Platform + Proxy + "kubernetes:\n  proxy_token_file: FILE\n  proxy_ca_file: FILE", "kubernetes.proxy" },
        { Platform + Proxy + "kubernetes:\n  proxy_token_file: FILE", "cluster_proxy_url" },
        { Platform + "cluster_proxy_url: http://proxy", "cluster_proxy_url" },
        { Platform + "kubernetes:\n  namespaces: [sjns-a-b]\n" + Team, "spark_connect.on_demand.teams" },
        { Platform + Team, "spark_connect.on_demand.teams" },
        { "kubernetes:\n  namespaces: [sjns-a-c]\n" + Team, "spark_connect.on_demand.teams" },
        { Platform + "kubernetes:\n  namespaces: [sjns-a-c]\nspark_connect:\n  on_demand:\n    enabled: false\n    teams:\n    - {team: a, environment: b}", "spark_connect.on_demand.teams[0]" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Load_Contradiction_NamesLineReasonAndWayOut(string body, string key, string text) =>
        AssertToldAt(body, key, text, config => config.Problems);

    [Theory]
    [MemberData(nameof(WarnedOf))]
    public void Load_SettingWithoutEffectOrInTheClear_Warns(string body, string key, string text) =>
        AssertToldAt(body, key, text, config => config.Warnings);

    [Theory]
    [MemberData(nameof(Fine))]
    public void Load_NothingContradicts_SaysNothing(string body, string keys)
    {
        var config = Load(body, out _);

        Assert.DoesNotContain(config.Problems.Concat(config.Warnings), problem => problem.Key.StartsWith(keys, StringComparison.Ordinal) && problem.Key != "kubernetes.default_profile");
    }

    /// <summary>A name that is none is told of once, by the rule of the names.</summary>
    [Fact]
    public void Load_TeamWhoseNamespaceIsNoName_IsNotSaidToBeMissing()
    {
        var config = Load(Platform + $"kubernetes:\n  namespaces: [sjns-a-c]\nspark_connect:\n  on_demand:\n    teams:\n    - {{team: {new string('a', 40)}, environment: {new string('b', 20)}}}", out _);

        Assert.DoesNotContain(config.Problems, problem => problem.Text.Contains("kubernetes.namespaces", StringComparison.Ordinal));
    }

    private void AssertToldAt(string body, string key, string text, Func<LoadedConfig, IEnumerable<ConfigProblem>> told)
    {
        var config = Load(body, out var line);

        var problem = Assert.Single(told(config), problem => problem.Key == key && problem.Text.Contains(text, StringComparison.Ordinal));
        Assert.Equal($"{folder.Root}/test.yml:{line}", problem.Where.ToString());
    }

    private LoadedConfig Load(string body, out int line)
    {
        var marked = "config:\n" + string.Join('\n', body.TrimEnd('\n').Split('\n').Select(one => "  " + one)) + "\n";
        line = marked[..Math.Max(0, marked.IndexOf('!', StringComparison.Ordinal))].Count(c => c == '\n') + 1;
        return folder.Load(marked.Replace("!", "", StringComparison.Ordinal).Replace("FILE", folder.Write("file", "text"), StringComparison.Ordinal));
    }
}
