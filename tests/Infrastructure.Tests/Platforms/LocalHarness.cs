using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Attached;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Local;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>A local platform with a state folder of its own, that leaves nothing behind.</summary>
internal sealed class LocalHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static int names;

    public LocalHarness(Action<GatewayOptions> configure, string? python = null)
    {
        State = Directory.CreateTempSubdirectory("spark-gateway-local-").FullName;
        Options = new GatewayOptions { StateDir = State };
        configure(Options);
        Tokens = new DriverTokens(Options, new AttachedSessions(Log.For<AttachedSessions>()), Log.For<DriverTokens>());
        Platform = new LocalPlatform(
            Options,
            new SparkLocator(Options.Local, name => name == "PYSPARK_PYTHON" ? python : Environment.GetEnvironmentVariable(name), State),
            new DriverCommands(Options, LocalServices.CurrentEnvironment),
            Tokens,
            TimeProvider.System,
            Log.For<LocalPlatform>());
    }

    public string State { get; }

    public GatewayOptions Options { get; }

    public DriverTokens Tokens { get; }

    public LocalPlatform Platform { get; }

    public LogLines Log { get; } = new();

    public static LocalHarness Spark(Action<GatewayOptions>? configure = null) => new(
        options =>
        {
            options.Local.SparkHome = SparkFixture.SparkHome;
            options.Local.DriverMemory = "700m";
            configure?.Invoke(options);
        },
        SparkFixture.Python);

    public static LocalHarness Sail(Action<GatewayOptions>? configure = null) => new(options =>
    {
        options.Local.Engine = "sail";
        options.Local.Sail = SparkFixture.Sail;
        configure?.Invoke(options);
    });

    /// <summary>A SPARK_HOME whose spark-submit is a script of the test.</summary>
    public static LocalHarness Script(string script, Action<GatewayOptions>? configure = null) => new(options =>
    {
        options.Local.SparkHome = FakeSpark(Path.Combine(options.StateDir, "fake-spark"), script);
        configure?.Invoke(options);
    });

    public static string FakeSpark(string home, string script, string version = "4.1.0")
    {
        Directory.CreateDirectory(Path.Combine(home, "bin"));
        Directory.CreateDirectory(Path.Combine(home, "jars"));
        File.WriteAllText(Path.Combine(home, "jars", $"spark-connect_2.13-{version}.jar"), "");
        WriteProgram(Path.Combine(home, "bin", "spark-submit"), script);
        return home;
    }

    public static void WriteProgram(string path, string script)
    {
        File.WriteAllText(path, "#!/bin/sh\n" + script + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public static DriverSpec Spec(string user = "ann") =>
        new(Guid.NewGuid(), new SessionName("sjns-local-dev", $"spark-connect-local-{Interlocked.Increment(ref names)}"), "local", "dev", user);

    public string LogFile(DriverSpec spec) => Path.Combine(State, "logs", spec.Name.Name + ".log");

    /// <summary>The processes that run with this state folder in their command line or as their working folder.</summary>
    public List<string> Processes() => ProcessTable.Where(process => process.CommandLine.Contains(State, StringComparison.Ordinal) || process.Folder.StartsWith(State, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await Platform.DisposeAsync();
        Directory.Delete(State, recursive: true);
    }
}

/// <summary>Everything that was logged, as lines.</summary>
internal sealed class LogLines : ILoggerProvider
{
    private readonly Lock gate = new();
    private readonly List<string> lines = [];

    public string Text
    {
        get
        {
            lock (gate) return string.Join('\n', lines);
        }
    }

    public ILogger<T> For<T>() => new Typed<T>(this);

    public ILogger CreateLogger(string categoryName) => For<object>();

    public void Dispose()
    {
    }

    private sealed class Typed<T>(LogLines owner) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (owner.gate) owner.lines.Add($"{logLevel}: {formatter(state, exception)}");
        }
    }
}

internal sealed record ProcessRow(int Pid, string CommandLine, string Folder);

internal static class ProcessTable
{
    public static List<string> Where(Func<ProcessRow, bool> condition) =>
        [.. Rows().Where(condition).Select(row => $"{row.Pid}: {row.CommandLine}")];

    public static IEnumerable<ProcessRow> Rows()
    {
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(path), out var pid) && pid != Environment.ProcessId && Read(path) is { Length: > 0 } command)
            {
                yield return new ProcessRow(pid, command, new FileInfo(Path.Combine(path, "cwd")).LinkTarget ?? "");
            }
        }
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(path, "cmdline")).Replace('\0', ' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}

/// <summary>One unary gRPC call, made by hand.</summary>
internal static class RawCall
{
    /// <summary>ReleaseSession of an unknown session: opens none, and is checked for its token.</summary>
    public static async Task<string> ReleaseSessionAsync(string address, string? token)
    {
        using var client = new HttpClient { Timeout = LocalHarness.Patience };
        byte[] id = Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("D"));
        byte[] message = [0x0A, (byte)id.Length, .. id, 0x12, 5, 0x0A, 3, .. "ann"u8];
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{address}/spark.connect.SparkConnectService/ReleaseSession")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, (byte)message.Length, .. message]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        if (token is not null) request.Headers.TryAddWithoutValidation("authorization", $"Bearer {token}");
        using var response = await client.SendAsync(request);
        return Status(response.TrailingHeaders) ?? Status(response.Headers) ?? "none";
    }

    private static string? Status(HttpResponseHeaders headers) => headers.TryGetValues("grpc-status", out var values) ? values.First() : null;
}
