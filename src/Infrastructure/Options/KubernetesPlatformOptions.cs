namespace SparkGateway.Infrastructure.Options;

/// <summary>The section kubernetes: how drivers are waited for, ended and cleared away.</summary>
public sealed partial class KubernetesOptions
{
    /// <summary>Between two questions whether a starting driver answers.</summary>
    public int ProbeMilliseconds { get; set; } = 500;

    /// <summary>How long the end of a driver is waited for before it is left to the look for orphans.</summary>
    public int StopLimitSeconds { get; set; } = 90;

    /// <summary>How often drivers are compared with sessions.</summary>
    public int ReconcileSeconds { get; set; } = 60;

    public int OrphanGraceSeconds { get; set; } = 120;

    /// <summary>How often attached applications are looked through without a change.</summary>
    public int AttachSeconds { get; set; } = 30;

    /// <summary>For the question whether a driver whose connection broke is still there. Without an answer it is dialled all the same.</summary>
    public int DriverCheckSeconds { get; set; } = 3;

    public int AccessReviewSeconds { get; set; } = 600;

    /// <summary>The same while a right is missing, or the review failed.</summary>
    public int AccessRetrySeconds { get; set; } = 30;
}
