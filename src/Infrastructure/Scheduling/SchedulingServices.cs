using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Quartz;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Scheduling;

public static class SchedulingServices
{
    /// <summary>The jobs that come by the clock. In memory: each replica has its own, and what they do may be done twice.</summary>
    public static IServiceCollection AddScheduling(this IServiceCollection services, GatewayOptions options)
    {
        services.AddQuartz(quartz =>
        {
            Add<ExpiryJob>(quartz, options.SparkConnect.ExpiryIntervalSeconds);
            if (options.Platform != Session.LocalPlatform) Add<ReconcileJob>(quartz, options.Kubernetes.ReconcileSeconds);
        });
        services.AddQuartzHostedService(host => host.WaitForJobsToComplete = true);
        return services;
    }

    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "Spreads the replicas over the interval, guards nothing.")]
    private static void Add<T>(IQuartzBuilder quartz, int seconds)
        where T : IJob
    {
        var interval = TimeSpan.FromSeconds(seconds);
        quartz.ScheduleJob<T>(trigger => trigger
            .StartAt(TimeProvider.System.GetUtcNow() + interval * Random.Shared.NextDouble())
            .WithSimpleSchedule(schedule => schedule.WithInterval(interval).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithRemainingCount)));
    }
}
