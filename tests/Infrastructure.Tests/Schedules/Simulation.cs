using System.Globalization;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Schedules;

/// <summary>
/// A few replicas, their clients and their drivers through one schedule: operations in their order, each interleaved with all that is
/// under way as the seed has it. Then the faults end, and after a while all must be at rest and in order.
/// </summary>
internal sealed class Simulation
{
    public const int LeaseSeconds = 12;
    public const int DeadAfterSeconds = 45;

    /// <summary>Enough for the dead to be noticed, told of, and cleared away.</summary>
    private static readonly TimeSpan RestWithin = TimeSpan.FromSeconds(400);

    private readonly IReadOnlyList<Operation> operations;
    private readonly Func<Replicated, ScheduleDatabase, Replicated> change;
    private readonly RowRules rules;
    private readonly Clients clients;
    private readonly Dictionary<Guid, string> names = [];
    private readonly List<(SimReplica Replica, string Name, Task Task)> watched = [];
    private TimeSpan storeShift;

    public Simulation(int seed, ScheduleDatabase database, IReadOnlyList<Operation> operations, Func<Replicated, ScheduleDatabase, Replicated> change)
    {
        (Database, this.operations, this.change) = (database, operations, change);
        Scheduler = new Scheduler(seed, database.MostOutside);
        Drivers = new DriverWorld(isOutliving: seed % 2 == 1);
        rules = new RowRules(this, isExact: database.MostOutside == 1);
        clients = new Clients(this);
        Replicas = new SimReplica[2 + (seed / 2 % 2)];
    }

    public FeatureOptions Settings { get; } = new()
    {
        Self = new Replica(Guid.Empty, "", IsOnly: false),
        Policy = new RoutingPolicy
        {
            Headers = new RoutingHeaderNames("x-spark-session-id", "x-spark-namespace", "x-spark-team", "x-spark-environment"),
            Default = new TeamRef("data", "dev"),
            AnyTeam = true,
            ShareConnection = true,
        },
        Limits = new SessionLimits(MaxSessions: 4, MaxPerUser: 2),
        StartLimit = TimeSpan.FromSeconds(40),
        StartGrace = TimeSpan.FromSeconds(20),
        Expiry = new ExpiryPolicy { Limits = new ExpiryLimits(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(120)), ReleaseLinger = TimeSpan.FromSeconds(10) },
        ExpiryHold = TimeSpan.FromSeconds(15),
        BusyGrace = TimeSpan.FromSeconds(40),
        EndingGrace = TimeSpan.FromSeconds(3),
        TtlNotice = TimeSpan.FromSeconds(10),
        HeartbeatEvery = TimeSpan.FromSeconds(15),
        ActivityEvery = TimeSpan.FromSeconds(12),
        FollowEvery = TimeSpan.FromSeconds(9),
        LaunchRenewEvery = TimeSpan.FromSeconds(LeaseSeconds) / 3,
        StoreAttempts = 3,
        StoreRetryEvery = TimeSpan.FromSeconds(2),
    };

    public Scheduler Scheduler { get; }

    public ScheduleDatabase Database { get; }

    public DriverWorld Drivers { get; }

    public SimReplica[] Replicas { get; }

    public Rows Rows => rules.Now;

    /// <summary>As clients learn them from their first answer.</summary>
    public Dictionary<Guid, SessionName> Names { get; } = [];

    public bool HasPrecreated { get; set; }

    /// <summary>Drivers that outlive a dead replica and have no row are the platform's to find; here nobody does.</summary>
    public bool HasKilled { get; private set; }

    public IEnumerable<SimReplica> Running => Replicas.Where(replica => replica.Runs);

    /// <summary>The schedule as it went; the text of what is wrong, or null.</summary>
    public string? Run()
    {
        var previous = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(Scheduler);
        try
        {
            Database.Clear();
            SetStoreClock();
            for (var n = 0; n < Replicas.Length; n++) StartReplica(n);
            foreach (var operation in operations) Play(operation);
            Rest();
            return null;
        }
        catch (InvariantException wrong)
        {
            return wrong.Message;
        }
        finally
        {
            Scheduler.CallBack();
            SynchronizationContext.SetSynchronizationContext(previous);
        }
    }

    public Guid NewGuid()
    {
        var bytes = new byte[16];
        Scheduler.Random.NextBytes(bytes);
        return new Guid(bytes);
    }

    /// <summary>Ids are random; their order of appearance is not.</summary>
    public string NameOf(Guid session)
    {
        if (!names.TryGetValue(session, out var name)) names[session] = name = string.Create(CultureInfo.InvariantCulture, $"s{names.Count + 1}");
        return name;
    }

    public string NameOf(ClientSessionKey key) => clients.NameOf(key);

    public string StoreText(TimeSpan from) => Database.Text(Database.Now + from);

    public Replicated Join(Replica self) => change(Database.Join(self), Database);

    /// <summary>After each change. While another is under way there is nothing certain to see.</summary>
    public void Check()
    {
        if (!Scheduler.IsOutside) rules.Check(Database.Read());
    }

    /// <summary>What nobody awaits here still must not fail.</summary>
    public void Watch(SimReplica replica, string name, Task task) => watched.Add((replica, name, task));

    private void StartReplica(int place)
    {
        Replicas[place] = new SimReplica(this, string.Create(CultureInfo.InvariantCulture, $"r{place + 1}"));
        Replicas[place].Start();
        Scheduler.Drain();
    }

    /// <summary>A few steps of what is under way, then the operation begins.</summary>
    private void Play(Operation operation)
    {
        for (var steps = Scheduler.Random.Next(12); steps > 0 && Scheduler.HasPoints; steps--) Step(mayWait: Scheduler.Random.Next(8) == 0);
        Scheduler.Note($"-- {operation}");
        switch (operation.Act)
        {
            case Act.Wait:
                Wait(TimeSpan.FromSeconds(operation.Which % 5 == 0 ? operation.Amount % 300 : operation.Amount % 30));
                break;
            case Act.KillReplica when Running.Skip(1).Any():
                Kill(Running.ElementAt(operation.Where % Running.Count()));
                break;
            case Act.StartReplica when Replicas.Any(replica => replica.IsDead):
                StartReplica(Array.FindIndex(Replicas, replica => replica.IsDead));
                break;
            case Act.PauseReplica when Running.Skip(1).Any():
                Pause(Running.ElementAt(operation.Where % Running.Count()), TimeSpan.FromSeconds(operation.Amount % 90));
                break;
            case Act.SkewReplica:
                Replicas[operation.Where % Replicas.Length].Time.Skew = TimeSpan.FromSeconds(operation.Amount * 10 - 5_000);
                break;
            case Act.StepStoreClock:
                storeShift += TimeSpan.FromSeconds(operation.Amount % 40 - 20);
                break;
            case Act.FailStore:
                var store = Replicas[operation.Where % Replicas.Length].Store;
                (store.FailingCalls, store.FailsLate) = (1 + operation.Amount % 6, operation.Which % 2 == 0);
                break;
            case Act.CrashDriver when Drivers.Alive.Any():
                Drivers.Crash(Drivers.Alive.ElementAt(operation.Which % Drivers.Alive.Count()), Replicas);
                break;
            default:
                clients.Do(operation);
                break;
        }

        Scheduler.Drain();
        Verify();
    }

    private void Step(bool mayWait)
    {
        if (Scheduler.HasPoints && !mayWait)
        {
            Scheduler.Choose();
        }
        else if (Scheduler.Advance())
        {
            SetStoreClock();
        }

        Verify();
    }

    private void SetStoreClock() => Database.SetClock(VirtualTime.Epoch + TimeSpan.FromDays(1) + Scheduler.Elapsed + storeShift);

    private void Wait(TimeSpan time)
    {
        var until = Scheduler.Elapsed + time;
        while (Scheduler.Elapsed < until) Step(mayWait: Scheduler.Random.Next(8) == 0);
    }

    private void Kill(SimReplica replica)
    {
        HasKilled = true;
        replica.IsDead = true;
        Drivers.DieWith(replica);
        clients.Forget(replica);
    }

    private void Pause(SimReplica replica, TimeSpan time)
    {
        replica.IsPaused = true;
        _ = new VirtualTimer(Scheduler, Always.Runs, () => replica.IsPaused = false).Change(time, TimeSpan.Zero);
    }

    private void Verify()
    {
        foreach (var (replica, name, task) in watched)
            if (task.IsFaulted) throw new InvariantException($"{replica.Name}: {name} failed: {task.Exception!.InnerException}");
        watched.RemoveAll(entry => entry.Task.IsCompleted);
        if (Replicas.FirstOrDefault(replica => replica.Bug is not null) is { } broken) throw new InvariantException($"{broken.Name} logged an error: {broken.Bug}");
        clients.Verify();
    }

    /// <summary>No more faults: soon nothing is left to do, and what is there fits together.</summary>
    private void Rest()
    {
        foreach (var replica in Replicas) (replica.Store.FailingCalls, replica.IsPaused) = (0, false);
        if (!Running.Any()) StartReplica(0);
        clients.HangUpAll();
        var reports = Drivers.IsOutliving;
        var until = Scheduler.Elapsed + RestWithin;
        while (Scheduler.Elapsed < until)
        {
            Step(mayWait: false);
            if (Scheduler.HasPoints || Scheduler.IsOutside) continue;
            if (reports) ReportMissing();
            reports = false;
            if (!Unrest().Any()) return;
        }

        throw new InvariantException($"It does not come to rest: {string.Join(" ", Unrest())}");
    }

    /// <summary>A platform whose drivers outlive replicas looks for them also after a restart.</summary>
    private void ReportMissing()
    {
        foreach (var driver in Drivers.Drivers.Where(driver => driver.Crashed && driver.WasReady)) Running.First().Platform.Report(driver);
        if (!HasKilled) return;
        var ended = Rows.Sessions.Where(session => session.State == "ended").Select(session => session.Id).ToHashSet();
        foreach (var driver in Drivers.Alive.Where(driver => ended.Contains(driver.Session))) driver.IsAlive = false;
    }

    private IEnumerable<string> Unrest()
    {
        foreach (var session in Rows.Sessions.Where(session => session.Kind == "on_demand"))
        {
            var drivers = Drivers.Alive.Where(driver => driver.Session == session.Id).ToList();
            if (session.State is "starting" or "ending") yield return $"{NameOf(session.Id)} is {session.State}.";
            if (session.State == "ready" && drivers.All(driver => driver.Address != session.Address)) yield return $"{NameOf(session.Id)} is ready and has no driver.";
            if (session.State == "ended" && drivers.Count > 0) yield return $"{NameOf(session.Id)} has ended and its driver lives.";
        }

        foreach (var driver in Drivers.Alive)
            if (Rows.Sessions.All(session => session.Id != driver.Session)) yield return "A driver lives that has no row.";
        foreach (var replica in Running)
        {
            if (replica.Tasks > 0) yield return $"{replica.Name} has {replica.Tasks} tasks.";
            foreach (var route in replica.Table.Routes)
                if (!Rows.Sessions.Any(session => session.Id == route.Session.Id && session.State == "ready" && session.Address == route.Address))
                    yield return $"{replica.Name} has a route to {NameOf(route.Session.Id)}.";
        }

        foreach (var left in clients.Unrest()) yield return left;
    }

    private sealed class Always : IProcess
    {
        public static readonly Always Runs = new();

        public string Name => "time";

        bool IProcess.Runs => true;
    }
}
