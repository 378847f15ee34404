using System.CommandLine;
using SparkGateway.Api.Hosting;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Cli;

internal static partial class ServeVerb
{
    public static Command Create(CliConsole console)
    {
        var verb = new Command("serve", HelpTexts.Serve);
        var configuration = new ConfigArguments(verb);
        verb.SetAction(arguments => RunAsync(configuration.Read(arguments), console));
        return verb;
    }

    private static async Task<int> RunAsync(ConfigSource source, CliConsole console)
    {
        var config = GatewayConfig.Load(source);
        if (config.Problems.Count > 0) return console.Refuse(config.Problems);
        if (WhyNoStateDir(config.Options.StateDir) is { } why) return console.Refuse(why);
        if (!Listeners.Open(config.Options).TryGet(out var listeners, out var error)) return console.Refuse(error.Text);
        using (listeners)
        {
            await using var host = GatewayHost.Build(source, config, listeners);
            return await RunAsync(host, config, console);
        }
    }

    /// <summary>From a built host to the exit code.</summary>
    internal static async Task<int> RunAsync(WebApplication host, LoadedConfig config, CliConsole console)
    {
        if (await FailedChecksAsync(host, console)) return ExitCode.Refused;
        try
        {
            await host.StartAsync();
            await SayReadyAsync(host, config, console);
        }
        catch (StartRefusedException refused)
        {
            return console.Refuse(refused.Error.Text);
        }
        catch (OperationCanceledException) when (host.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // A signal came, or a loop died, before the start was done: what did start is stopped below.
        }

        try
        {
            await host.WaitForShutdownAsync();
        }
        catch (OperationCanceledException)
        {
            return console.Fail(CutOff("The host", config.Options));
        }

        return End(host, config.Options, console);
    }

    /// <summary>A loop that dies stops the host; without a look at the loops that would pass for a clean end.</summary>
    private static int End(WebApplication host, GatewayOptions options, CliConsole console)
    {
        foreach (var loop in host.Services.GetServices<IHostedService>().OfType<BackgroundService>())
        {
            var name = loop.GetType().Name;
            if (loop.ExecuteTask is { IsFaulted: true } failed) return console.Fail($"{name} failed, so the gateway stopped: {failed.Exception!.InnerException!.Message} This is a bug, please report it.");
            if (loop.ExecuteTask is { IsCompleted: false }) return console.Fail(CutOff(name, options));
        }

        return ExitCode.Ok;
    }

    private static string CutOff(string part, GatewayOptions options) =>
        $"{part} had not ended {GatewayHost.StopLimit(options).TotalSeconds} s after the stop and was cut; spark_connect.drain_seconds sets that time.";

    private static async Task<bool> FailedChecksAsync(WebApplication host, CliConsole console)
    {
        var failed = false;
        foreach (var check in host.Services.GetServices<IStartCheck>())
        {
            if (await check.CheckAsync(CancellationToken.None) is not { } error) continue;
            console.Refuse(error.Text);
            failed = true;
        }

        return failed;
    }

    private static async Task SayReadyAsync(WebApplication host, LoadedConfig config, CliConsole console)
    {
        var options = config.Options.SparkConnect;
        foreach (var warning in config.Warnings) LogWarning(host.Logger, warning.ToString());
        LogServing(host.Logger, string.Join(", ", host.Urls), options.Bind, options.Port);
        var version = typeof(ServeVerb).Assembly.GetName().Version!.ToString(3);
        var text = options.Enabled
            ? $"Spark Gateway {version} is ready. Paste this into PySpark:\nSparkSession.builder.remote(\"{ConnectionStrings.Of(options)}\").getOrCreate()\n"
            : $"Spark Gateway {version} is ready; spark_connect.enabled is false.\n";
        await console.Out.WriteAsync(text);
        await console.Out.FlushAsync();
    }

    private static string? WhyNoStateDir(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"The folder '{path}' cannot be made ({e.Message}): set state_dir to a folder that this user may write.";
        }
    }

    [LoggerMessage(2, LogLevel.Information, "Serving: Spark Connect on {Bind} port {Port}; /healthz, /readyz, /metrics on {Urls}")]
    private static partial void LogServing(ILogger logger, string urls, string bind, int port);

    [LoggerMessage(1, LogLevel.Warning, "{Warning}")]
    private static partial void LogWarning(ILogger logger, string warning);
}
