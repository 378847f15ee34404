using System.Collections.Concurrent;
using System.Threading.Channels;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Testing.Fakes;

/// <summary>Drivers that start and end when the test says so.</summary>
public sealed class FakeDriverPlatform : IDriverPlatform
{
    private readonly Channel<DriverExit> exits = Channel.CreateUnbounded<DriverExit>();
    private readonly Channel<PendingLaunch> launches = Channel.CreateUnbounded<PendingLaunch>();
    private readonly Channel<Guid> stops = Channel.CreateUnbounded<Guid>();
    private readonly ConcurrentQueue<DriverSpec> launched = new();
    private int port = 20_000;

    /// <summary>Any other name: drivers that outlive their replica.</summary>
    public string Name { get; set; } = "local";

    /// <summary>True: drivers are ready at once. False: the test takes them from <see cref="NextLaunchAsync"/>.</summary>
    public bool IsInstant { get; set; } = true;

    public IReadOnlyCollection<DriverSpec> Launched => launched;

    public ChannelReader<DriverExit> Exits => exits.Reader;

    public async Task<Result<RunningDriver>> LaunchAsync(DriverSpec spec, CancellationToken cancellation)
    {
        launched.Enqueue(spec);
        var driver = new RunningDriver($"127.0.0.1:{Interlocked.Increment(ref port)}", $"pid-{port}");
        if (IsInstant) return driver;

        var pending = new PendingLaunch(spec, driver);
        launches.Writer.TryWrite(pending);
        return await pending.Done.WaitAsync(cancellation);
    }

    /// <summary>Where the driver of a session is found that another replica launched; null: where the store says.</summary>
    public Func<Session, Result<RunningDriver?>>? Locate { get; set; }

    public Task<Result<RunningDriver?>> LocateAsync(Session ready, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(ready);
        return Task.FromResult(Locate?.Invoke(ready) ?? Result<RunningDriver?>.Ok(new RunningDriver(ready.Address!, ready.RuntimeId!)));
    }

    public Task StopAsync(DriverRef driver, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(driver);
        stops.Writer.TryWrite(driver.SessionId);
        return Task.CompletedTask;
    }

    public void Crash(Guid sessionId, string detail, string logTail) => exits.Writer.TryWrite(new DriverExit(sessionId, EndReason.Crashed, detail, logTail));

    public ValueTask<PendingLaunch> NextLaunchAsync(CancellationToken cancellation) => launches.Reader.ReadAsync(cancellation);

    public ValueTask<Guid> NextStopAsync(CancellationToken cancellation) => stops.Reader.ReadAsync(cancellation);

    /// <summary>How many stops the test has not taken yet.</summary>
    public int StopsLeft => stops.Reader.Count;

    public sealed class PendingLaunch(DriverSpec spec, RunningDriver driver)
    {
        private readonly TaskCompletionSource<Result<RunningDriver>> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public DriverSpec Spec { get; } = spec;

        internal Task<Result<RunningDriver>> Done => done.Task;

        public void Succeed() => done.TrySetResult(driver);

        public void Fail(GatewayError error) => done.TrySetResult(error);

        public void Throw(Exception bug) => done.TrySetException(bug);
    }
}

/// <summary>A token for each on-demand driver, none for attached ones.</summary>
public sealed class FakeDriverTokens : IDriverTokens
{
    public string? ForOnDemand(Guid sessionId) => $"token-{sessionId:N}";

    public string? ForAttached(SessionName name) => null;
}
