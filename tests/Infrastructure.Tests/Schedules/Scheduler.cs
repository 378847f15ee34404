using System.Globalization;

namespace SparkGateway.Infrastructure.Tests.Schedules;

/// <summary>A process of the simulation: dead, its tasks never go on; paused, they go on later.</summary>
internal interface IProcess
{
    string Name { get; }

    bool Runs { get; }
}

/// <summary>
/// One thread and a virtual clock. Whatever waits at a point waits until it is chosen; all choices come from one seed. Continuations
/// are posted here, so between two choices everything has run as far as it can.
/// </summary>
internal sealed class Scheduler(int seed, int mostOutside) : SynchronizationContext
{
    private const int MostSteps = 60_000;
    private readonly Queue<(SendOrPostCallback Work, object? State)> posted = new();
    private readonly List<Point> points = [];
    private readonly List<VirtualTimer> timers = [];
    private int outside;
    private bool isOver;

    public Random Random { get; } = new(seed);

    /// <summary>Monotonic, from the beginning.</summary>
    public TimeSpan Elapsed { get; private set; }

    public List<string> Steps { get; } = [];

    /// <summary>Calls of a store that works on threads of its own, and are not back yet.</summary>
    public bool IsOutside => outside > 0;

    public bool HasPoints => points.Any(point => point.Process.Runs);

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (posted)
        {
            posted.Enqueue((d, state));
            Monitor.Pulse(posted);
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public void Note(string text) => Steps.Add(string.Create(CultureInfo.InvariantCulture, $"{Elapsed.TotalSeconds,8:0.00}  {text}"));

    /// <summary>Goes on when it is chosen.</summary>
    public Task PointAsync(IProcess process, string label)
    {
        var point = new Point(process, label);
        points.Add(point);
        return point.Task;
    }

    /// <summary>A call on threads that nobody chooses. Its continuation comes back by <see cref="Post"/>.</summary>
    public async Task<T> OutsideAsync<T>(Func<Task<T>> call)
    {
        outside++;
        try
        {
            return await call();
        }
        finally
        {
            outside--;
        }
    }

    public void Add(VirtualTimer timer) => timers.Add(timer);

    public void Remove(VirtualTimer timer) => timers.Remove(timer);

    /// <summary>One point goes on.</summary>
    public void Choose()
    {
        var ready = points.Where(point => point.Process.Runs).ToList();
        var point = ready[Random.Next(ready.Count)];
        points.Remove(point);
        Note($"{point.Process.Name} {point.Label}");
        point.Go();
        Drain();
    }

    /// <summary>Time goes to the next timer, which fires; false: there is none.</summary>
    public bool Advance()
    {
        var next = timers.Where(timer => timer.Process.Runs).MinBy(timer => timer.Due);
        if (next is null) return false;
        if (next.Due > Elapsed) Elapsed = next.Due;
        next.Fire();
        Drain();
        return true;
    }

    /// <summary>Runs what is posted, and waits for what is outside unless a second call is to overtake it.</summary>
    public void Drain()
    {
        if (Steps.Count > MostSteps && !isOver) throw new InvariantException("The schedule does not come to an end.");
        while (true)
        {
            if (TryTake() is { } next)
            {
                next.Work(next.State);
                continue;
            }

            if (outside == 0 || (outside < mostOutside && !isOver && HasPoints && Random.Next(2) == 0)) return;
            lock (posted)
            {
                if (posted.Count == 0) Monitor.Wait(posted);
            }
        }
    }

    /// <summary>What is outside comes back: its transaction holds rows that the next schedule needs.</summary>
    public void CallBack()
    {
        isOver = true;
        Drain();
    }

    private (SendOrPostCallback Work, object? State)? TryTake()
    {
        lock (posted) return posted.TryDequeue(out var next) ? next : null;
    }

    private sealed class Point(IProcess process, string label)
    {
        private readonly TaskCompletionSource done = new();

        public IProcess Process { get; } = process;

        public string Label { get; } = label;

        public Task Task => done.Task;

        public void Go() => done.SetResult();
    }
}

/// <summary>What the search is for.</summary>
internal sealed class InvariantException(string text) : Exception(text);

/// <summary>A process's own clock: timers by virtual time, its wall clock as wrong as the process thinks.</summary>
internal sealed class VirtualTime(Scheduler scheduler, IProcess process) : TimeProvider
{
    public static readonly DateTimeOffset Epoch = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public TimeSpan Skew { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => scheduler.Elapsed.Ticks;

    public override DateTimeOffset GetUtcNow() => Epoch + scheduler.Elapsed + Skew;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(scheduler, process, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }
}

internal sealed class VirtualTimer(Scheduler scheduler, IProcess process, Action fire) : ITimer
{
    private TimeSpan period;

    public IProcess Process => process;

    public TimeSpan Due { get; private set; }

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        this.period = period;
        scheduler.Remove(this);
        if (dueTime < TimeSpan.Zero) return true;
        Due = scheduler.Elapsed + dueTime;
        scheduler.Add(this);
        return true;
    }

    public void Fire()
    {
        scheduler.Remove(this);
        if (period > TimeSpan.Zero)
        {
            Due = scheduler.Elapsed + period;
            scheduler.Add(this);
        }

        fire();
    }

    public void Dispose() => scheduler.Remove(this);

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
