using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Attached;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms;
using SparkGateway.Infrastructure.Platforms.Local;
using SparkGateway.Infrastructure.Platforms.SparkUi;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>A local platform with a state folder of its own, that leaves nothing behind.</summary>
internal sealed class LocalHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static int names;

    public LocalHarness(Action<GatewayOptions> configure, string? python = null, string? state = null)
    {
        State = state ?? Directory.CreateTempSubdirectory("spark-gateway-local-").FullName;
        Options = new GatewayOptions { StateDir = State };
        configure(Options);
        Tokens = new DriverTokens(Options, new AttachedSessions(Log.For<AttachedSessions>()), Log.For<DriverTokens>());
        Platform = new LocalPlatform(
            Options,
            new SparkLocator(Options.Local, name => name == "PYSPARK_PYTHON" ? python : Environment.GetEnvironmentVariable(name), State),
            new DriverCommands(Options, LocalServices.CurrentEnvironment),
            Tokens,
            Uis,
            TimeProvider.System,
            Log.For<LocalPlatform>());
    }

    public string State { get; }

    public GatewayOptions Options { get; }

    public DriverTokens Tokens { get; }

    public UiPorts Uis { get; } = new();

    public LocalPlatform Platform { get; }

    public LogLines Log { get; } = new();

    public static LocalHarness Spark(Action<GatewayOptions>? configure = null, string? state = null) => new(
        options =>
        {
            options.Local.SparkHome = SparkFixture.SparkHome;
            options.Local.DriverMemory = "700m";
            configure?.Invoke(options);
        },
        SparkFixture.Python,
        state);

    public static LocalHarness Sail(Action<GatewayOptions>? configure = null) => new(options =>
    {
        options.Local.Engine = "sail";
        options.Local.Sail = SparkFixture.Sail;
        configure?.Invoke(options);
    });

    /// <summary>A SPARK_HOME whose spark-submit is a script of the test.</summary>
    public static LocalHarness Script(string script, Action<GatewayOptions>? configure = null, string? state = null) => new(
        options =>
        {
            options.Local.SparkHome = FakeSpark(Path.Combine(options.StateDir, "fake-spark"), script);
            configure?.Invoke(options);
        },
        state: state);

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
    public List<string> Processes() => ProcessTable.OfState(State);

    public async ValueTask DisposeAsync()
    {
        await Platform.DisposeAsync();
        Directory.Delete(State, recursive: true);
    }
}
