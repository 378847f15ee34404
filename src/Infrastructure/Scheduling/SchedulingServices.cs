using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Quartz;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Scheduling;

public static class SchedulingServices
{
    /// <summary>The jobs that come by the clock. In memory: each replica has its own, and what they do may be done twice.</summary>
    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "Spreads the replicas over the interval, guards nothing.")]
    public static IServiceCollection AddScheduling(this IServiceCollection services, GatewayOptions options)
    {
        var interval = TimeSpan.FromSeconds(options.SparkConnect.ExpiryIntervalSeconds);
        services.AddQuartz(quartz => quartz.ScheduleJob<ExpiryJob>(trigger => trigger
            .StartAt(TimeProvider.System.GetUtcNow() + interval * Random.Shared.NextDouble())
            .WithSimpleSchedule(schedule => schedule.WithInterval(interval).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithRemainingCount))));
        services.AddQuartzHostedService(host => host.WaitForJobsToComplete = true);
        return services;
    }
}
