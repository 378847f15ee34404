using System.Diagnostics;
using System.Text;
using Xunit;

namespace SparkGateway.Testing;

/// <summary>
/// A real Kubernetes control plane as processes on loopback, with a Spark operator and a node stand-in if asked. It ends when
/// it is disposed, and with this process however that ends. Without ../shared a test is skipped.
/// </summary>
public sealed class KubePlane : IAsyncDisposable
{
    // kubectl wait gives up at a kind so new that the API server has not written its status yet; start.sh then ends.
    private const string WaitRace = ".status.conditions accessor error";
    private const int MaxStarts = 5;

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);
    private static readonly Lazy<string> Assets = new(() => SparkFixture.Install("kubernetes"));

    private readonly Process process;
    private readonly IReadOnlyDictionary<string, string> lines;

    private KubePlane(Process process, IReadOnlyDictionary<string, string> lines)
    {
        this.process = process;
        this.lines = lines;
    }

    public Uri ApiServer => new(lines["API_SERVER"]);

    public string CaFile => lines["CA_FILE"];

    /// <summary>Of the service account spark-gateway, with the gateway's rights in all namespaces.</summary>
    public string Token => lines["TOKEN"];

    public string TokenFile => lines["TOKEN_FILE"];

    /// <summary>With the gateway's rights in the session namespaces only.</summary>
    public string ScopedToken => lines["SCOPED_TOKEN"];

    public string AdminToken => lines["ADMIN_TOKEN"];

    public string AdminKubeconfig => lines["KUBECONFIG"];

    public string GatewayKubeconfig => lines["GATEWAY_KUBECONFIG"];

    /// <summary>Certificates, logs of every process, and those of pods below node/pods.</summary>
    public string StateDir => lines["STATE_DIR"];

    /// <param name="options">As start.sh knows them, such as --crds all, --operator, --node.</param>
    /// <param name="environment">More variables for its processes, such as SPARK_HOME.</param>
    public static async Task<KubePlane> StartAsync(IEnumerable<string> options, IReadOnlyDictionary<string, string>? environment = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await StartOnceAsync(options, environment);
            }
            catch (InvalidOperationException e) when (attempt < MaxStarts && e.Message.Contains(WaitRace, StringComparison.Ordinal))
            {
            }
        }
    }

    private static async Task<KubePlane> StartOnceAsync(IEnumerable<string> options, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(Script("start.sh"), ["--until-eof", "--assets", Assets.Value, .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var process = Process.Start(start)!;
        var complaints = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(StartLimit);
        var lines = new Dictionary<string, string>(StringComparer.Ordinal);
        while (!lines.ContainsKey("READY"))
        {
            if (await process.StandardOutput.ReadLineAsync(limit.Token) is not { } line) throw new InvalidOperationException($"start.sh ended: {await complaints}");
            var name = line.Split('=')[0];
            if (name.Length < line.Length) lines[name] = line[(name.Length + 1)..];
        }

        return new KubePlane(process, lines);
    }

    /// <summary>Faults and outages: restart kube-apiserver 2, expire, freeze, thaw; see ctl.sh.</summary>
    public Task ControlAsync(params string[] arguments) => RunAsync(Script("ctl.sh"), [StateDir, .. arguments], "");

    /// <summary>
    /// Deletes an object in etcd, while the API server is away: nobody is told. <paramref name="key"/> as the API server stores it, such
    /// as pods/NAMESPACE/NAME.
    /// </summary>
    public async Task EraseAsync(string key)
    {
        using var http = new HttpClient();
        var range = Convert.ToBase64String(Encoding.UTF8.GetBytes($"/registry/{key}"));
        using var body = new StringContent($$"""{"key": "{{range}}"}""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"{lines["ETCD"]}/v3/kv/deleterange"), body);
        var text = await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        if (!text.Contains("\"deleted\":\"1\"", StringComparison.Ordinal)) throw new InvalidOperationException($"etcd has no {key}: {text}");
    }

    /// <summary>Runs kubectl as the cluster's administrator, with this text on its standard input, and gives what it prints.</summary>
    public Task<string> KubectlAsync(string input, params string[] arguments) =>
        RunAsync(Path.Combine(Assets.Value, "kubectl"), ["--kubeconfig", AdminKubeconfig, "--cache-dir", Path.Combine(StateDir, "cache"), .. arguments], input);

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(StopLimit);
        await process.WaitForExitAsync(limit.Token);
        process.Dispose();
    }

    private static string Script(string name) => Path.Combine(SparkFixture.Source("kubernetes"), name);

    private static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(StartLimit);
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{Path.GetFileName(program)} ended with {process.ExitCode}: {await errors}");
    }
}

/// <summary>A plane for all tests of a class or collection, started by the first that asks. Subclass it for other options.</summary>
public class KubePlaneFixture : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly string[] options;
    private Task<KubePlane>? plane;

    public KubePlaneFixture() : this("--crds", "all")
    {
    }

    protected KubePlaneFixture(params string[] startOptions) => options = startOptions;

    public Task<KubePlane> PlaneAsync()
    {
        lock (gate) return plane ??= KubePlane.StartAsync(options);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (plane is { IsCompletedSuccessfully: true }) await (await plane).DisposeAsync();
    }
}
