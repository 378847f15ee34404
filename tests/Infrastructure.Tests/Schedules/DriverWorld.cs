using System.Threading.Channels;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Schedules;

internal sealed class SimDriver(Guid session, SimReplica host, string address)
{
    public Guid Session { get; } = session;

    public SimReplica Host { get; } = host;

    public string Address { get; } = address;

    public bool IsAlive { get; set; } = true;

    public bool WasReady { get; set; }

    /// <summary>It went by itself.</summary>
    public bool Crashed { get; set; }
}

/// <summary>All drivers that there ever were. Either they die with their replica, or they outlive it and any replica can stop them.</summary>
internal sealed class DriverWorld(bool isOutliving)
{
    private int port = 20_000;

    public bool IsOutliving { get; } = isOutliving;

    public string Platform => IsOutliving ? "kubernetes" : Session.LocalPlatform;

    public List<SimDriver> Drivers { get; } = [];

    public IEnumerable<SimDriver> Alive => Drivers.Where(driver => driver.IsAlive);

    public SimDriver Start(Guid session, SimReplica host)
    {
        if (Alive.Any(driver => driver.Session == session)) throw new InvariantException($"A second driver for one session is started by {host.Name}.");
        var driver = new SimDriver(session, host, $"10.0.0.1:{++port}");
        Drivers.Add(driver);
        return driver;
    }

    public SimDriver? Find(Guid session, SimReplica seenFrom) =>
        Alive.FirstOrDefault(driver => driver.Session == session && (IsOutliving || driver.Host == seenFrom));

    public void DieWith(SimReplica replica)
    {
        if (IsOutliving) return;
        foreach (var driver in Drivers.Where(driver => driver.Host == replica)) driver.IsAlive = false;
    }

    /// <summary>Who hears of it: on local the replica that runs it, else all that run now.</summary>
    public void Crash(SimDriver driver, IEnumerable<SimReplica> replicas)
    {
        driver.IsAlive = false;
        driver.Crashed = true;
        if (!driver.WasReady) return;
        foreach (var replica in replicas.Where(replica => !replica.IsDead && (IsOutliving || replica == driver.Host))) replica.Platform.Report(driver);
    }
}

/// <summary>The platform as one replica has it.</summary>
internal sealed class SimPlatform(DriverWorld world, SimReplica replica, Simulation simulation) : IDriverPlatform
{
    private readonly Channel<DriverExit> exits = Channel.CreateUnbounded<DriverExit>();

    public string Name => world.Platform;

    public ChannelReader<DriverExit> Exits => exits.Reader;

    public void Report(SimDriver driver) => exits.Writer.TryWrite(new DriverExit(driver.Session, EndReason.Crashed, "exit code 1", ""));

    public async Task<Result<RunningDriver>> LaunchAsync(DriverSpec spec, CancellationToken cancellation)
    {
        var (scheduler, session) = (simulation.Scheduler, simulation.NameOf(spec.SessionId));
        await scheduler.PointAsync(replica, $"launch {session}");
        cancellation.ThrowIfCancellationRequested();
        var driver = world.Find(spec.SessionId, replica) ?? world.Start(spec.SessionId, replica);
        var fate = scheduler.Random.Next(20);
        var seconds = fate == 0 ? simulation.Settings.StartLimit.TotalSeconds : scheduler.Random.Next(1, 20);
        await Task.Delay(TimeSpan.FromSeconds(seconds), replica.Time, CancellationToken.None);
        await scheduler.PointAsync(replica, $"launch {session}: {(fate <= 1 ? "failed" : "up")}");

        // Where drivers outlive their replica the caller stops what is its own to stop.
        if (cancellation.IsCancellationRequested && !world.IsOutliving) driver.IsAlive = false;
        cancellation.ThrowIfCancellationRequested();
        if (fate <= 1 && !driver.WasReady) driver.IsAlive = false;
        if (!driver.IsAlive) return new GatewayError(ErrorCode.StartFailed, Blame.Driver, "The driver did not start.");
        driver.WasReady = true;
        return new RunningDriver(driver.Address, driver.Address);
    }

    public async Task<Result<RunningDriver?>> LocateAsync(Session ready, CancellationToken cancellation)
    {
        if (!world.IsOutliving) return new RunningDriver(ready.Address!, ready.RuntimeId!);
        await simulation.Scheduler.PointAsync(replica, $"locate {simulation.NameOf(ready.Id)}");
        return world.Find(ready.Id, replica) is { WasReady: true } driver ? new RunningDriver(driver.Address, driver.Address) : Result<RunningDriver?>.Ok(null);
    }

    public async Task StopAsync(DriverRef driver, CancellationToken cancellation)
    {
        var session = simulation.NameOf(driver.SessionId);
        await simulation.Scheduler.PointAsync(replica, $"stop driver of {session}");
        if (world.Find(driver.SessionId, replica) is { } found)
        {
            if (replica.Table.FindRoute(driver.SessionId) is { ClosedBy: null }) throw new InvariantException($"The driver of {session} is stopped while its route is open on {replica.Name}.");
            found.IsAlive = false;
        }

        await simulation.Scheduler.PointAsync(replica, $"stop driver of {session}: done");
    }
}
