using Microsoft.Extensions.Logging.Console;
using SparkGateway.Api.Admin;
using SparkGateway.Api.Health;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Api.Hosting;

/// <summary>Builds the process that serves. An empty builder: nothing but our own configuration, no ASPNETCORE_* variable, reaches it.</summary>
internal static class GatewayHost
{
    public const string MetricsPath = "/metrics";

    /// <summary>The relay cuts its calls when drain_seconds are over; this much later the host gives up on whoever has not ended.</summary>
    private const int StopMarginSeconds = 5;

    public static TimeSpan StopLimit(GatewayOptions options) => TimeSpan.FromSeconds(options.SparkConnect.DrainNoticeSeconds + options.SparkConnect.DrainSeconds + StopMarginSeconds);

    public static WebApplication Build(ConfigSource source, LoadedConfig config, Listeners listeners)
    {
        var options = config.Options;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        AddLog(builder.Logging, options.Log);
        AddHttp(builder, options, listeners);
        builder.Services.AddRoutingCore();
        builder.Services.AddGatewayTelemetry(options);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopLimit(options));
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        builder.Services.AddSingleton(TimeProvider.System).AddConfig(source, config).AddReadiness();
        if (listeners.SparkConnect is { } socket) builder.Services.AddSingleton(new SparkConnectListener(socket));
        builder.Services.AddGateway(options);

        var app = builder.Build();
        app.Lifetime.ApplicationStarted.Register(TelemetryServices.Announce);
        app.Use(EmptyHistograms.AddAsync);
        app.MapHealth();
        app.MapAdminApi();
        app.MapPrometheusScrapingEndpoint(MetricsPath);
        return app;
    }

    private static void AddHttp(WebApplicationBuilder builder, GatewayOptions options, Listeners listeners)
    {
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.Admin.MaxRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = options.Admin.MaxConnections;
            foreach (var endpoint in listeners.HttpEndpoints) kestrel.Listen(endpoint);
        });
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = listeners.Http);
    }

    /// <summary>All of it on standard error: standard output holds the line to paste, and nothing else.</summary>
    private static void AddLog(ILoggingBuilder logging, LogOptions options)
    {
        logging.AddConsoleFormatter<JsonLogFormatter, ConsoleFormatterOptions>();
        logging.AddSimpleConsole(text =>
        {
            (text.SingleLine, text.ColorBehavior) = (true, LoggerColorBehavior.Disabled);
            (text.UseUtcTimestamp, text.TimestampFormat) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ ");
        });
        logging.AddConsole(console =>
        {
            if (options.Format == "json") console.FormatterName = JsonLogFormatter.FormatName;
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.MaxQueueLength = options.QueueLines;
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
        logging.SetMinimumLevel(Level(options.Level));
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Quartz", LogLevel.Warning);
        logging.AddFilter("OpenTelemetry", LogLevel.Warning);
        // The host logs a failed start with its stack trace; `serve` says it in one sentence.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }

    private static LogLevel Level(string word) => word switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => LogLevel.Information,
    };
}
