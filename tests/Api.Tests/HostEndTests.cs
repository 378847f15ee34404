using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using SparkGateway.Api.Cli;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Tests;

/// <summary>How `serve` ends when a part of the gateway says no, or breaks.</summary>
public sealed class HostEndTests : IDisposable
{
    private static readonly GatewayError NoSpark = new(ErrorCode.StartFailed, Blame.Gateway, "No Spark: set SPARK_HOME.");

    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    public void Dispose()
    {
        output.Dispose();
        error.Dispose();
    }

    [Fact]
    public async Task Serve_StartChecksFail_ShowsEachAndStartsNothing()
    {
        var code = await Run(services => services
            .AddSingleton<IStartCheck>(new FailingCheck())
            .AddSingleton<IStartCheck>(new FailingCheck())
            .AddHostedService(_ => new Loop(() => throw new InvalidOperationException("started"))));

        Assert.Equal(2, code);
        Assert.Equal("spark-gateway: No Spark: set SPARK_HOME.\nspark-gateway: No Spark: set SPARK_HOME.\n", error.ToString());
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public async Task Serve_HostedServiceRefusesToStart_IsOneSentenceAndExitCode2()
    {
        var code = await Run(services => services.AddHostedService<RefusingService>());

        Assert.Equal(2, code);
        Assert.Equal("spark-gateway: No Spark: set SPARK_HOME.\n", error.ToString());
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public async Task Serve_LoopDies_StopsWithExitCode1AndNamesIt()
    {
        var code = await Run(services => services.AddHostedService(_ => new Loop(() => throw new InvalidOperationException("broken"))));

        Assert.Equal(1, code);
        Assert.Equal("spark-gateway: Loop failed, so the gateway stopped: broken This is a bug, please report it.\n", error.ToString());
    }

    [Fact]
    public async Task Serve_LoopThatNeverEnds_IsCutAfterTheDrainTime()
    {
        var code = await Run(services => services
            .AddHostedService<StuckLoop>()
            .Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50)));

        Assert.Equal(1, code);
        Assert.Contains("spark_connect.drain_seconds", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_StoppedWhileStarting_EndsCleanlyWithoutTheReadyLine()
    {
        var code = await Run(services => services.AddHostedService<IdleLoop>().AddHostedService<StopInStart>());

        Assert.Equal((0, "", ""), (code, output.ToString(), error.ToString()));
    }

    private async Task<int> Run(Action<IServiceCollection> add)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        add(builder.Services);
        await using var host = builder.Build();
        return await ServeVerb.RunAsync(host, GatewayConfig.Load(new([], new Dictionary<string, string>(), [])), new(output, error));
    }

    private sealed class FailingCheck : IStartCheck
    {
        public Task<GatewayError?> CheckAsync(CancellationToken cancellation) => Task.FromResult<GatewayError?>(NoSpark);
    }

    private sealed class RefusingService : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => throw new StartRefusedException(NoSpark);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Loop(Func<Task> body) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => body();
    }

    private sealed class IdleLoop : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stoppingToken);
    }

    private sealed class StopInStart(IHostApplicationLifetime lifetime) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>Asks for the stop itself, once it runs: a loop that was cancelled before it began would count as ended.</summary>
    private sealed class StuckLoop(IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            lifetime.ApplicationStarted.Register(lifetime.StopApplication);
            return new TaskCompletionSource().Task;
        }
    }
}
