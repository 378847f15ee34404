namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

/// <summary>
/// Gives each trouble of one start its grace, from when this process first saw it: clocks of a cluster differ. The time of a
/// kind of trouble runs on while another hides it, and begins anew with another pod. For one caller at a time.
/// </summary>
internal sealed class StartJudge(StartGraces graces, TimeProvider time)
{
    private readonly Dictionary<StartTrouble, long> since = [];
    private string? uid;

    public StartVerdict Judge(StartFacts facts)
    {
        var finding = StartDiagnosis.Look(facts);
        if (facts.Pod is { } pod && pod.Uid != uid)
        {
            since.Clear();
            uid = pod.Uid;
        }

        if (finding.Trouble == StartTrouble.None) return new StartVerdict(finding.Progress, null);
        if (!since.TryGetValue(finding.Trouble, out var first)) since[finding.Trouble] = first = time.GetTimestamp();
        var isOver = time.GetElapsedTime(first) >= GraceOf(finding.Trouble);
        return new StartVerdict(finding.Progress, isOver ? finding.Error : null);
    }

    /// <summary>How soon a verdict can change although nothing happens; null: never.</summary>
    public TimeSpan? NextIn(StartFacts facts)
    {
        var trouble = StartDiagnosis.Look(facts).Trouble;
        if (!since.TryGetValue(trouble, out var first)) return null;
        var left = GraceOf(trouble) - time.GetElapsedTime(first);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private TimeSpan GraceOf(StartTrouble trouble) => trouble switch
    {
        StartTrouble.Unschedulable => graces.Unschedulable,
        StartTrouble.Image => graces.Image,
        StartTrouble.Configuration => graces.Configuration,
        _ => TimeSpan.Zero,
    };
}
