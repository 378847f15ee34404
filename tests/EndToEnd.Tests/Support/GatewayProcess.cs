using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>A driver that the gateway's configuration names.</summary>
internal sealed record Attached(string Name, string Namespace, string Address, string TokenFile = "");

/// <summary>How a gateway is started: config/local.yml, then this.</summary>
internal sealed record GatewaySetup
{
    public IReadOnlyList<Attached> Attached { get; init; } = [];

    /// <summary>KEY=VALUE, each for one --set.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>Drivers on demand are real ones, so they are switched on by the tests that need them.</summary>
    public bool StartsDrivers { get; init; }

    public string Engine { get; init; } = "spark";

    /// <summary>More variables for the program; its drivers inherit them.</summary>
    public IReadOnlyList<(string Name, string? Value)> Variables { get; init; } = [];

    /// <summary>YAML below `config:`, indented by two blanks, for what --set cannot say.</summary>
    public string Config { get; init; } = "";
}

/// <summary>The built program as a user starts it, with a state folder of its own that outlives a restart.</summary>
internal sealed partial class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly GatewaySetup setup;
    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-e2e-").FullName;
    private readonly int adminPort = Ports.Free();
    private readonly HttpClient admin = new();

    private GatewayProcess(GatewaySetup setup) => this.setup = setup;

    public int Port { get; } = Ports.Free();

    public string StateDir => Path.Combine(folder, "state");

    public OwnedProcess Process { get; private set; } = null!;

    /// <summary>What a client of that user pastes, with more parameters such as x-spark-session-id=NAME.</summary>
    public string Url(string user, params IEnumerable<string> parameters) => UrlOf(Port, user, parameters);

    public static string UrlOf(int port, string user, params IEnumerable<string> parameters) =>
        $"sc://localhost:{port}/;{string.Join(';', [$"user_id={user}", .. parameters])}";

    public static async Task<GatewayProcess> StartAsync(GatewaySetup setup)
    {
        var gateway = new GatewayProcess(setup);
        try
        {
            await gateway.StartAgainAsync();
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Rewrites the list of attached drivers, as an operator does while the gateway runs.</summary>
    public void WriteAttached(IReadOnlyList<Attached> attached)
    {
        var text = new StringBuilder("config:\n  spark_connect:\n");
        text.Append(attached.Count == 0 ? "    attached: []\n" : "    attached:\n");
        foreach (var (name, space, address, token) in attached)
        {
            text.Append(CultureInfo.InvariantCulture, $"      - name: {name}\n        namespace: {space}\n        address: {address}\n        token_file: \"{token}\"\n");
        }

        File.WriteAllText(ConfigFile, text.Append(setup.Config).ToString());
    }

    /// <summary>Starts the program on the same ports and state folder.</summary>
    public async Task StartAgainAsync()
    {
        if (!File.Exists(ConfigFile)) WriteAttached(setup.Attached);
        if (Process is not null) await Process.DisposeAsync();
        Process = OwnedProcess.Start("the gateway", Path.Combine(AppContext.BaseDirectory, "spark-gateway"), Arguments(), Environment(), folder);
        await Process.LineAsync("its ready line", line => line.StartsWith("SparkSession.builder.remote(", StringComparison.Ordinal), StartLimit);
    }

    public void Kill() => Process.Signal("KILL");

    /// <summary>SIGTERM; the exit code.</summary>
    public Task<int> TerminateAsync()
    {
        Process.Signal("TERM");
        return Process.ExitAsync(StopLimit);
    }

    /// <summary>Runs a verb of `sessions` against this gateway to its good end, and gives what it printed.</summary>
    public async Task<string> SessionsAsync(params IEnumerable<string> verb)
    {
        await using var cli = OwnedProcess.Start("the command line", Path.Combine(AppContext.BaseDirectory, "spark-gateway"),
            ["sessions", .. verb, "--url", $"http://127.0.0.1:{adminPort}", "--token-file", Path.Combine(folder, "state", "admin.tokens")], [], folder);
        var exit = await cli.ExitAsync();
        Assert.True(exit == 0, $"The command line ended with exit code {exit}:\n{cli.Output}");
        return cli.Output;
    }

    public int AdminPort => adminPort;

    /// <summary>A page of the operators' port that asks for no token.</summary>
    public Task<string> GetAsync(string path) => admin.GetStringAsync(new Uri($"http://127.0.0.1:{adminPort}{path}"));

    /// <summary>The sum of a metric over all its series with these labels, each as NAME="VALUE"; up to a third of a second old.</summary>
    public async Task<double> MetricAsync(string name, params string[] labels)
    {
        var text = await GetAsync("/metrics");
        return text.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
            .Sum(line => double.Parse(Value().Match(line).Groups[1].Value, CultureInfo.InvariantCulture));
    }

    /// <summary>What the gateway takes for the time.</summary>
    public async Task<DateTimeOffset> ClockAsync()
    {
        using var answer = await admin.GetAsync(new Uri($"http://127.0.0.1:{adminPort}/healthz"));
        return answer.Headers.Date!.Value;
    }

    /// <summary>Every process that this gateway started, itself or through others: its state folder is in their command line or environment.</summary>
    public IReadOnlyList<int> Descendants() => Processes.Naming(StateDir, but: Process.Pid);

    /// <summary>What /readyz says of that component.</summary>
    public async Task<(bool IsReady, string Reason)> ReadinessAsync(string component)
    {
        using var answer = await admin.GetAsync(new Uri($"http://127.0.0.1:{adminPort}/readyz?format=json"));
        using var report = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var found = report.RootElement.GetProperty("components").EnumerateArray().Single(one => one.GetProperty("name").GetString() == component);
        return (found.GetProperty("ready").GetBoolean(), found.GetProperty("reason").GetString()!);
    }

    /// <summary>The drivers among them: not the shells above and the Python workers below them.</summary>
    public IReadOnlyList<int> Drivers() => [.. Descendants().Where(pid => Processes.Name(pid) is "java" or "sail")];

    public async ValueTask DisposeAsync()
    {
        if (Process is not null)
        {
            Process.Signal("TERM");
            try
            {
                await Process.ExitAsync(StopLimit);
            }
            catch (TimeoutException)
            {
                // A gateway that does not stop is another test's finding; here it is only cleared away.
            }

            await Process.DisposeAsync();
            await Deadlines.UntilAsync("the end of the gateway's drivers", () => Descendants().Count == 0);
        }

        admin.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string ConfigFile => Path.Combine(folder, "gateway.yml");

    private IEnumerable<string> Arguments() =>
    [
        "serve", "--config", Path.Combine(Sources.Root, "config", "local.yml"), "--config", ConfigFile,
        .. Set($"spark_connect.port={Port}", $"admin.port={adminPort}", $"state_dir={StateDir}"),
        .. Set($"spark_connect.on_demand.enabled={(setup.StartsDrivers ? "true" : "false")}", "config_poll_seconds=1", "config_settle_milliseconds=50"),
        .. setup.StartsDrivers && setup.Engine == "sail" ? Set("local.engine=sail", $"local.sail={SparkFixture.Sail}") : [],
        .. Set([.. setup.Settings]),
    ];

    private IEnumerable<(string, string?)> Environment() => setup.StartsDrivers && setup.Engine == "spark"
        ? [("SPARK_HOME", SparkFixture.SparkHome), ("PYSPARK_PYTHON", SparkFixture.Python), .. setup.Variables]
        : [("SPARK_HOME", null), ("PYSPARK_PYTHON", null), .. setup.Variables];

    private static IEnumerable<string> Set(params IEnumerable<string> settings) => settings.SelectMany(setting => new[] { "--set", setting });

    /// <summary>Labels may contain spaces.</summary>
    [GeneratedRegex("^[a-z_]+(?:\\{.*\\})? ([^ ]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Value();
}
